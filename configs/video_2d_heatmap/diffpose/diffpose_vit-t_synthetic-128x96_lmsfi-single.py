# Table 4 (a): lookup-based interaction on the key frame alone.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(
    conditioner=dict(
        _delete_=True,
        type='SingleFrameConditioner',
        in_channels=192,
        num_frames=1,
        channels={{_base_.channels}},
    ),
)
train_dataloader = dict(dataset=dict(num_frames=1))
val_dataloader = test_dataloader = dict(dataset=dict(num_frames=1))

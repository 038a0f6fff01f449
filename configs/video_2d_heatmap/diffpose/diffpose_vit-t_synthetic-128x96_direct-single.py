# Table 4, Direct-single: the key frame alone, concatenated with the noisy heatmaps.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(
    conditioner=dict(
        _delete_=True,
        type='SingleFrameConditioner',
        in_channels=192,
        num_frames=1,
        channels={{_base_.channels}},
    ),
    denoiser=dict(
        _delete_=True,
        type='ConcatPoseDecoder',
        num_joints=15,
        heatmap_size={{_base_.heatmap_size}},
        condition_channels={{_base_.channels}},
    ),
)
train_dataloader = dict(dataset=dict(num_frames=1))
val_dataloader = test_dataloader = dict(dataset=dict(num_frames=1))

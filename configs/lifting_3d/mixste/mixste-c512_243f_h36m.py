# MixSTE's own paper: C = 512, 243 frames, 4 sequences a batch, weighted loss, mirrored in training and test.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/human36m.py',
    '../../_base_/models/mixste.py',
    '../../_base_/schedules/mixste.py',
]

num_frames = 243
model = dict(
    conditioner=dict(lifter=dict(channels=512)),
    head=dict(in_channels=512),
    loss=dict(_delete_=True, type='MixSTELoss', scale_by_value=True),
    test_cfg=dict(flip_test=True),
)
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=[dict(type='LiftingRandomFlip'), *_base_.train_pipeline]))
val_dataloader = test_dataloader = dict(batch_size=4)

# Smaller crops, with a backbone that was trained on single frames: the rows of docs/benchmarks.md.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/posetrack_clips.py',
    '../../_base_/datasets/synthetic_video.py',
    '../../_base_/models/diffpose.py',
    '../../_base_/models/vit-t.py',
    '../../_base_/schedules/cosine.py',
]

input_size = (96, 128)  # w, h in px
train_pipeline = [
    *_base_.train_pipeline[:3],
    # milder than the paper's, since there are far fewer images
    dict(type='mmpose.RandomBBoxTransform', shift_factor=0.0, scale_factor=(0.85, 1.15), rotate_factor=15),
    *_base_.train_pipeline[5:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline, items_per_epoch=2048))
val_dataloader = test_dataloader = dict(batch_size=32)

channels = _base_.vit_t_channels
model = dict(
    _base_.vit_t,
    backbone=dict(_base_.vit_t.backbone, checkpoint='checkpoints/single-frame_vit-t_synthetic-128x96.pth'),
)

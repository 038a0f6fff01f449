# DiffPose on real and rendered video, on a backbone that is pretrained on poses. It is trained with a small rate, and
# its own keypoints are a part of the condition: both limit the loss of accuracy on other pictures (docs/benchmarks.md).
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/mixed_clips.py',
    '../../_base_/models/diffpose.py',
    '../../_base_/models/movenet.py',
    '../../_base_/schedules/cosine.py',
]

box_jitter = dict(shift_factor=0.05, rotate_factor=20, scale_factor=(0.85, 1.25))
train_dataloader = dict(batch_size=8, dataset=dict(weights=[14, 2]))
channels = _base_.movenet_channels
movenet_checkpoint = 'checkpoints/movenet-thunder.pth'
movenet_maps = 58  # with the keypoints
model = _base_.movenet
model.backbone.update(variant='thunder', keypoints=True)
model.train_cfg.update(states_per_clip=2)
optim_wrapper = dict(
    _base_.movenet_optimizer,
    type='BFloat16OptimWrapper',
    fused_attention=True,  # faster for 960 tokens
    optimizer=dict(lr=4e-4),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.025)}),
)
train_cfg = dict(max_epochs=11, val_interval=4)

# DiffPose on real and rendered video, from the weights of diffpose_movenet-lightning_jhmdb-128x96, whose position
# embeddings are interpolated to the larger maps.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/mixed_clips.py',
    '../../_base_/models/diffpose.py',
    '../../_base_/models/movenet.py',
    '../../_base_/schedules/cosine.py',
]

channels = _base_.movenet_channels
model = _base_.movenet
optim_wrapper = dict(_base_.movenet_optimizer, optimizer=dict(lr=3e-4))
train_cfg = dict(max_epochs=16, val_interval=4)
load_from = 'checkpoints/diffpose_movenet-lightning_jhmdb-128x96.pth'

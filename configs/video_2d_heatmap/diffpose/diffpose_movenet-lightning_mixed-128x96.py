# DiffPose on real and rendered video, from the weights of diffpose_movenet-lightning_jhmdb-128x96.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/mixed_clips.py',
    '../../_base_/models/diffpose.py',
    '../../_base_/models/movenet.py',
    '../../_base_/schedules/cosine.py',
]

input_size = (96, 128)  # w, h in px
codec = dict(sigma=4 / 3)
channels = _base_.movenet_channels
model = _base_.movenet
optim_wrapper = dict(_base_.movenet_optimizer, optimizer=dict(lr=3e-4))
train_cfg = dict(max_epochs=16, val_interval=4)
load_from = 'checkpoints/diffpose_movenet-lightning_jhmdb-128x96.pth'

# DiffPose on real video, on a backbone that is pretrained on poses: the rows of docs/benchmarks.md.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/jhmdb_clips.py',
    '../../_base_/models/diffpose.py',
    '../../_base_/models/movenet.py',
    '../../_base_/schedules/cosine.py',
]

input_size = (96, 128)  # w, h in px
codec = dict(sigma=4 / 3)
channels = _base_.movenet_channels
model = _base_.movenet
optim_wrapper = _base_.movenet_optimizer
train_cfg = dict(max_epochs=10, val_interval=5)

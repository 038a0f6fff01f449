# Sized for two CPU cores.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/posetrack_clips.py',
    '../../_base_/datasets/synthetic_video.py',
    '../../_base_/models/diffpose.py',
    '../../_base_/models/vit-t.py',
    '../../_base_/schedules/diffpose.py',
]

channels = _base_.vit_t_channels
model = _base_.vit_t

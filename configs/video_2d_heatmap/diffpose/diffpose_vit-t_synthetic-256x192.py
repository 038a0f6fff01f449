# Sized for two CPU cores.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/posetrack_clips.py',
    '../../_base_/datasets/synthetic_video.py',
    '../../_base_/models/diffpose_vit-t.py',
    '../../_base_/schedules/diffpose.py',
]

_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/posetrack_clips.py',
    '../../_base_/datasets/posetrack2018.py',
    '../../_base_/models/diffpose.py',
    '../../_base_/schedules/diffpose.py',
]

# ViTPose-B of MMPose from MAE weights, trained and tested on the key frames of DiffPose's clips.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/posetrack_clips.py',
    '../../_base_/datasets/posetrack2017.py',
    '../../_base_/models/vitpose-b.py',
    '../../_base_/schedules/diffpose.py',
]

load = dict(type='LoadKeyFrame')
train_dataloader = val_dataloader = test_dataloader = dict(batch_size=64)

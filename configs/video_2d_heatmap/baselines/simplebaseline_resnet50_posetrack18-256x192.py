# SimpleBaseline of MMPose from ImageNet weights, one frame, trained and tested on what DiffPose is.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/posetrack_frames.py',
    '../../_base_/schedules/diffpose.py',
]

default_hooks = dict(checkpoint=dict(save_best='posetrack/AP', rule='greater'))

model = dict(
    _scope_='mmpose',
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        non_blocking=True,
    ),
    backbone=dict(type='ResNet', depth=50, init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    head=dict(
        type='posediff.Float32HeatmapHead',
        in_channels=2048,
        out_channels=17,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder={{_base_.codec}},
    ),
    train_cfg=dict(compute_acc=False),  # on the host, which would wait for the device at every step
    test_cfg=dict(flip_test=False),
)

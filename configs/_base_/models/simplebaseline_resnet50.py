# SimpleBaseline of MMPose: ResNet-50 with ImageNet weights, on the key frame alone.
num_frames = 1

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
        decoder='${codec}',
    ),
    train_cfg=dict(compute_acc=False),  # accuracy is computed on the host and would block at every step
    test_cfg=dict(flip_test=False),
)

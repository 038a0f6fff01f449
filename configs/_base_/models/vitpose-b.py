# ViTPose-B of MMPose: ViT-B with MAE weights, on the key frame alone.
_base_ = './vit-b.py'

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
    backbone=dict(
        _base_.vit_b,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmpose/v1/pretrained_models/mae_pretrain_vit_base_20230913.pth',
        ),
    ),
    head=dict(
        type='posediff.Float32HeatmapHead',
        in_channels=768,
        deconv_out_channels=(256, 256),
        deconv_kernel_sizes=(4, 4),
        out_channels=17,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder='${codec}',
    ),
    train_cfg=dict(compute_acc=False),  # accuracy is computed on the host and would block at every step
    test_cfg=dict(flip_test=False),
)

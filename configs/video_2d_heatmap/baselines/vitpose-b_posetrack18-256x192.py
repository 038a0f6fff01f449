# ViTPose-B of MMPose from MAE weights, one frame, trained and tested on what DiffPose is.
_base_ = './simplebaseline_resnet50_posetrack18-256x192.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.VisionTransformer',
        arch='base',
        img_size=(256, 192),
        patch_size=16,
        qkv_bias=True,
        drop_path_rate=0.3,
        with_cls_token=False,
        out_type='featmap',
        patch_cfg=dict(padding=2),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmpose/v1/pretrained_models/mae_pretrain_vit_base_20230913.pth',
        ),
    ),
    head=dict(in_channels=768, deconv_out_channels=(256, 256), deconv_kernel_sizes=(4, 4)),
)

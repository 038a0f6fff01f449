# MMPose's ViTPose-B, from its published COCO weights.
_base_ = './diffpose_vit-b_posetrack17-256x192.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.VisionTransformer',
        arch='base',
        img_size='${input_size[1], input_size[0]}',
        patch_size=16,
        qkv_bias=True,
        drop_path_rate=0.3,
        with_cls_token=False,
        out_type='featmap',
        patch_cfg=dict(padding=2),
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/topdown_heatmap/coco/'
            'td-hm_ViTPose-base_8xb64-210e_coco-256x192-216eae50_20230314.pth',
        ),
    ),
)

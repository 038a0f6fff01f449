# MMPose's ViTPose-H, from its published COCO weights.
_base_ = ['./diffpose_vit-b_posetrack17-256x192.py', '../../_base_/models/vit-b.py']

model = dict(
    backbone=dict(
        _base_.vit_b,
        _delete_=True,
        arch='huge',
        drop_path_rate=0.55,
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/topdown_heatmap/coco/'
            'td-hm_ViTPose-huge_8xb64-210e_coco-256x192-e32adcd4_20230314.pth',
        ),
    ),
    conditioner=dict(in_channels=1280),
)

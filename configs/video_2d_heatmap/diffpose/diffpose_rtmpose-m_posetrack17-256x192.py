# The backbone of MMPose's RTMPose-m (CSPNeXt), from its published weights for AIC and COCO; those for body8 have seen
# PoseTrack2018. Feature maps have a 32nd of the image's size: channels are rearranged to twice the height and width.
_base_ = './diffpose_vit-b_posetrack17-256x192.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpose.CSPNeXt',
        deepen_factor=0.67,
        widen_factor=0.75,
        out_indices=(4,),
        norm_cfg=dict(type='BN'),
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/'
            'rtmpose-m_simcc-aic-coco_pt-aic-coco_420e-256x192-63eb25f7_20230126.pth',
        ),
    ),
    conditioner=dict(in_channels=768, rearrange=2),
)

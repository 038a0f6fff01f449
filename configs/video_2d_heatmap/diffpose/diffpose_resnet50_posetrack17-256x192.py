# Feature maps have a 32nd of the image's size: channels are rearranged to twice the height and width.
_base_ = './diffpose_vit-b_posetrack17-256x192.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpose.ResNet',
        depth=50,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    conditioner=dict(in_channels=2048, rearrange=2),
)

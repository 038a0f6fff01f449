# DiffPose's networks on MoveNet's trunk, at a size for two CPU cores. The trunk's finest map (stride 4, 24 channels) is
# embedded in patches of 4 × 4, and the key frame's own map is kept as detail.
# With diffpose.py in the same `_base_` list: model = _base_.movenet, channels = _base_.movenet_channels
movenet_channels = 128
movenet_maps = 24  # channels of the trunk's map
movenet_checkpoint = 'checkpoints/movenet-lightning.pth'
movenet = dict(
    data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5]),
    backbone=dict(_delete_=True, type='MoveNetBackbone', variant='lightning', checkpoint='${movenet_checkpoint}'),
    conditioner=dict(in_channels='${movenet_maps}', depth=2, patch_size=4, detail=True),
    denoiser=dict(
        condition_channels='${channels + movenet_maps * 16}',
        channels=(128, 64, 48),
        out_channels=48,
        detail_channels='${movenet_maps}',
    ),
    train_cfg=dict(backbone_gradient='key_frame'),
)
# The trunk's BatchNorms are folded into its convolutions: 6e-5 is a rate that keeps its features.
movenet_optimizer = dict(
    optimizer=dict(lr=5e-4),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.12)}),
    clip_grad=dict(max_norm=1.0),
)

# DiffPose's networks at a size for two CPU cores: ViT-T of four layers from random weights, half the channels.
# With diffpose.py in the same `_base_` list: model = _base_.vit_t, channels = _base_.vit_t_channels
vit_t_channels = 128
vit_t = dict(
    backbone=dict(
        model_name='vit_tiny_patch16_224',
        stem='convolution',  # learns from few images, without pretrained weights
        pretrained=False,
        model_kwargs=dict(depth=4, drop_path_rate=0.0),
    ),
    conditioner=dict(in_channels=192, depth=2),
    denoiser=dict(channels=(128, 64, 32), out_channels=32),
)

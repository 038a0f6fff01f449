# DiffPose at a size for two CPU cores: ViT-T of four layers, from random weights.
num_frames = 5
heatmap_size = '${codec.heatmap_size[1], codec.heatmap_size[0]}'  # h, w
channels = 128

model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='ClipPreprocessor'),
    backbone=dict(
        type='TimmBackbone',
        model_name='vit_tiny_patch16_224',
        stem='convolution',  # learns from few images, without pretrained weights
        img_size='${input_size[1], input_size[0]}',
        pretrained=False,
        model_kwargs=dict(depth=4, drop_path_rate=0.0),
    ),
    conditioner=dict(
        type='SpatioTemporalConditioner',
        in_channels=192,
        num_frames='${num_frames}',
        size='${input_size[1] // 16, input_size[0] // 16}',
        channels='${channels}',
        depth=2,
    ),
    denoiser=dict(
        type='LookupPoseDecoder',
        num_joints=15,
        heatmap_size='${heatmap_size}',
        condition_channels='${channels}',
        channels=(128, 64, 32),
        out_channels=32,
    ),
    noise_scheduler=dict(type='CosineNoiseScheduler', num_train_timesteps=1000, prediction_type='sample'),
    sampler=dict(type='DDIMSampler', spacing='diffusiondet'),
    head=dict(
        type='HeatmapHead',
        skeleton='posetrack15',
        codec='${codec}',
        label_joints=(0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
        num_label_joints=17,
    ),
    test_cfg=dict(num_hypotheses=10, num_inference_steps=4),
)

# DiffPose: ViT-B per frame, spatiotemporal representation learner, Pose-Decoder with lookup-based interaction.
num_frames = 5
heatmap_size = '${codec.heatmap_size[1], codec.heatmap_size[0]}'  # h, w
channels = 256

model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='ClipPreprocessor'),
    backbone=dict(
        type='TimmBackbone',
        model_name='vit_base_patch16_224.mae',
        img_size='${input_size[1], input_size[0]}',
        pretrained=True,
        model_kwargs=dict(drop_path_rate=0.3),
    ),
    conditioner=dict(
        type='SpatioTemporalConditioner',
        in_channels=768,
        num_frames='${num_frames}',
        size='${input_size[1] // 16, input_size[0] // 16}',
        channels='${channels}',
        depth=4,
    ),
    denoiser=dict(
        type='LookupPoseDecoder',
        num_joints=15,
        heatmap_size='${heatmap_size}',
        condition_channels='${channels}',
        channels=(256, 128, 64),
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

# D3DP: MixSTE as a denoiser of x_0, mirrored inside every step; 20 hypotheses in 10 steps, aggregated by joints (JPMA).
num_frames = 243

model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor'),
    conditioner=dict(type='Keypoints2DConditioner'),
    denoiser=dict(
        type='MixSTEDenoiser',
        num_frames='${num_frames}',
        skeleton='${skeleton}',
        channels=512,
        depth=8,
        num_heads=8,
        mlp_ratio=2.0,
        condition_channels=2,
        drop_path_rate=0.1,
        clip_x_t=1.1,
    ),
    noise_scheduler=dict(type='CosineNoiseScheduler', num_train_timesteps=1000, prediction_type='sample'),
    sampler=dict(type='DDIMSampler', eta=1.0, spacing='diffusiondet', clip_x_0=1.1),
    head=dict(type='LiftingHead', skeleton='${skeleton}', zero_root=True),
    aggregator=dict(type='JointReprojectionAggregator'),
    loss=dict(type='PoseDistanceLoss'),
    test_cfg=dict(num_hypotheses=20, num_inference_steps=10, flip_steps=True),
)

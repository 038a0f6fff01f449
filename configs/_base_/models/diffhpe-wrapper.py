# DiffHPE-Wrapper: CT-GCN denoiser on [w_theta(x_t), features of a frozen MixSTE].
num_frames = 27

model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor'),
    conditioner=dict(
        type='FrozenLifterConditioner',
        lifter=dict(
            type='MixSTE',
            num_frames='${num_frames}',
            skeleton='${skeleton}',
            channels=64,
            depth=8,
            num_heads=8,
            mlp_ratio=2.0,
        ),
        checkpoint='checkpoints/mixste-c64_27f.pth',
    ),
    denoiser=dict(
        type='CTGCNDenoiser',
        num_frames='${num_frames}',
        skeleton='${skeleton}',
        channels=64,
        num_layers=16,
        condition_channels=64,
        pose_channels=64,
        step_channels=128,
        dropout=0.27038,
        num_train_timesteps=50,
    ),
    noise_scheduler=dict(type='CosineNoiseScheduler', num_train_timesteps=50, max_beta=0.5, prediction_type='epsilon'),
    sampler=dict(type='DDPMSampler'),
    head=dict(type='LiftingHead', skeleton='${skeleton}'),
    aggregator=dict(type='MeanAggregator'),
    loss=dict(type='SquaredErrorLoss'),
    test_cfg=dict(num_hypotheses=5),
)

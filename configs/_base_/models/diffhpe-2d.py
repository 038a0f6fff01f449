# DiffHPE-2D: CT-GCN denoiser on [x_t, keypoints_2d_norm].
num_frames = 27

model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor'),
    conditioner=dict(type='Keypoints2DConditioner'),
    denoiser=dict(
        type='CTGCNDenoiser',
        num_frames='${num_frames}',
        skeleton='${skeleton}',
        channels=64,
        num_layers=16,
        condition_channels=2,
        step_channels=128,
        dropout=0.032,
        num_train_timesteps=50,
    ),
    noise_scheduler=dict(type='CosineNoiseScheduler', num_train_timesteps=50, max_beta=0.5, prediction_type='epsilon'),
    sampler=dict(type='DDPMSampler'),
    head=dict(type='LiftingHead', skeleton='${skeleton}'),
    aggregator=dict(type='MeanAggregator'),
    loss=dict(type='SquaredErrorLoss'),
    test_cfg=dict(num_hypotheses=5),
)

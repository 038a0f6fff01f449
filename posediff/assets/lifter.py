default_scope = 'posediff'
fps = 50.0
model = dict(
    aggregator=dict(type='MeanAggregator'),
    conditioner=dict(
        center=True,
        checkpoint=None,
        lifter=dict(
            channels=64,
            depth=4,
            in_channels=5,
            mlp_ratio=2.0,
            num_frames=27,
            num_heads=8,
            skeleton='mediapipe17',
            type='MixSTE',
        ),
        type='FrozenLifterConditioner',
    ),
    data_preprocessor=dict(type='LiftingPreprocessor'),
    denoiser=dict(
        channels=32,
        condition_channels=64,
        dropout=0.03,
        num_frames=27,
        num_layers=8,
        num_train_timesteps=50,
        pose_channels=32,
        skeleton='mediapipe17',
        step_channels=64,
        type='CTGCNDenoiser',
    ),
    head=dict(skeleton='mediapipe17', type='LiftingHead'),
    loss=dict(type='SquaredErrorLoss'),
    noise_scheduler=dict(max_beta=0.5, num_train_timesteps=50, prediction_type='epsilon', type='CosineNoiseScheduler'),
    sampler=dict(type='DDPMSampler'),
    test_cfg=dict(num_hypotheses=20, num_inference_steps=10),
    type='PoseDiffusionEstimator',
)
num_frames = 27

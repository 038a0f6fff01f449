default_scope = 'posediff'
fps = 25.0
model = dict(
    aggregator=dict(type='MeanAggregator'),
    conditioner=dict(
        center=True,
        checkpoint=None,
        flip_skeleton='mediapipe17',
        lifter=dict(
            channels=3,
            depth=4,
            hidden_channels=256,
            in_channels=6,
            mlp_ratio=4.0,
            num_frames=81,
            num_heads=8,
            skeleton='mediapipe17',
            type='TemporalTransformer',
        ),
        scale=20.0,
        type='PosePriorConditioner',
    ),
    data_preprocessor=dict(input_mask=True, type='LiftingPreprocessor'),
    denoiser=dict(
        channels=192,
        condition_channels=9,
        depth=3,
        mlp_ratio=4.0,
        num_frames=81,
        num_heads=6,
        skeleton='mediapipe17',
        type='TemporalTransformerDenoiser',
    ),
    head=dict(calibrated_spread=True, in_channels=None, scale=20.0, skeleton='mediapipe17', type='LiftingHead'),
    loss=dict(type='SquaredErrorLoss'),
    noise_scheduler=dict(prediction_type='velocity', time_input='sigma_1000', type='LinearPath'),
    sampler=dict(type='MidpointSampler'),
    test_cfg=dict(keep_prior_mean=True, num_hypotheses=20, num_inference_steps=4),
    type='PoseDiffusionEstimator',
)
num_frames = 81

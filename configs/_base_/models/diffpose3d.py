# DiffPose for 3D poses (Gong et al.), as released: from a frozen lifter's pose to a better one in two steps.
num_frames = 1

model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor'),
    conditioner=dict(
        type='LiftedPoseConditioner',
        lifter=dict(
            type='GraFormer',
            num_frames='${num_frames}',
            skeleton='${skeleton}',
            channels=96,
            num_layers=5,
            num_heads=4,
        ),
        in_channels=3 * 96,
        checkpoint='checkpoints/graformer_1f.pth',
        skeleton='${skeleton}',
        keypoints=dict(weight=[1.0], offset=[[0.0, 0.0]], std=[[0.01, 0.01]]),
        pose_std=1.0,
        noise_share=0.0,  # above 0, the hypotheses differ
    ),
    denoiser=dict(
        type='GraFormerDenoiser',
        num_frames='${num_frames}',
        skeleton='${skeleton}',
        channels=96,
        num_layers=5,
        num_heads=4,
        dropout=0.25,
    ),
    noise_scheduler=dict(type='LinearNoiseScheduler', num_train_timesteps=51, beta_start=1e-4, beta_end=1e-3),
    sampler=dict(type='DDIMSampler', spacing=[12, 0]),
    head=dict(type='ObservedLiftingHead', skeleton='${skeleton}'),
    aggregator=dict(type='MeanAggregator'),
    loss=dict(type='SquaredErrorLoss'),
    test_cfg=dict(num_hypotheses=1),
)

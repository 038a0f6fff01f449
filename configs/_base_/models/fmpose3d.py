# FMPose3D: flow matching on single frames, 3 Euler steps; 20 hypotheses of the input and 20 of the mirrored input.
num_frames = 1

model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor'),
    conditioner=dict(type='Keypoints2DConditioner'),
    denoiser=dict(
        type='FMPose3DDenoiser',
        num_frames='${num_frames}',
        skeleton='${skeleton}',
        channels=512,
        num_layers=5,
        condition_channels=2,
    ),
    noise_scheduler=dict(type='LinearPath', prediction_type='velocity'),
    sampler=dict(type='DDIMSampler'),  # without noise, on this path, that is Euler's method
    head=dict(type='LiftingHead', skeleton='${skeleton}', predicts_root=True),
    aggregator=dict(type='ReprojectionExpectationAggregator', top_k=8, temperature=0.005),
    loss=dict(type='SquaredErrorLoss'),
    test_cfg=dict(num_hypotheses=40, num_inference_steps=3, flip_hypotheses=True),
)

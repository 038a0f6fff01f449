# Flow matching of the error of the lifter in transformer-c256-d4_81f-25fps_cmu-mediapipe17.py: 20 hypotheses of two
# midpoint steps (four calls), whose mean is the lifter's pose.
_base_ = './transformer-c256-d4_81f-25fps_cmu-mediapipe17.py'

model = dict(
    conditioner=dict(
        type='PosePriorConditioner',
        scale='${model.head.scale}',
        flip_skeleton='${skeleton}',
        checkpoint='checkpoints/transformer-c256-d4_81f-25fps_cmu-mediapipe17.pth',
    ),
    denoiser=dict(
        type='TemporalTransformerDenoiser',
        num_frames='${num_frames}',
        skeleton='${skeleton}',
        channels=192,
        depth=3,
        num_heads=6,
        mlp_ratio=4.0,
        condition_channels=9,  # centred joints and mask (6), pose of the lifter (3)
    ),
    noise_scheduler=dict(type='LinearPath', prediction_type='velocity', time_input='sigma_1000'),
    sampler=dict(type='MidpointSampler'),
    # posediff calibrate fits the factors of the spread after training
    head=dict(
        in_channels=None, scale=20.0, calibrated_spread=True
    ),  # the error of the lifter has a standard deviation of about 1 / 20 m
    aggregator=dict(type='MeanAggregator'),
    loss=dict(type='SquaredErrorLoss'),
    test_cfg=dict(num_hypotheses=20, num_inference_steps=4, keep_prior_mean=True),
)
train_cfg = dict(max_epochs=10, val_interval=10)

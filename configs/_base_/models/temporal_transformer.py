# A transformer with one token per frame, on centred joints with their mask; one linear map to the pose.
num_frames = 81

model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor', input_mask=True),
    conditioner=dict(
        type='LifterConditioner',
        center=True,
        lifter=dict(
            type='TemporalTransformer',
            num_frames='${num_frames}',
            skeleton='${skeleton}',
            in_channels=6,
            channels=3,
            hidden_channels=256,
            depth=4,
            num_heads=8,
            mlp_ratio=4.0,
        ),
    ),
    head=dict(type='LiftingHead', in_channels=3, skeleton='${skeleton}'),
    loss=dict(type='PoseDistanceLoss'),
)

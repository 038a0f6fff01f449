# GraFormer alone, frame by frame: the lifter that DiffPose for 3D poses starts from.
num_frames = 1

model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor'),
    conditioner=dict(
        type='LifterConditioner',
        lifter=dict(
            type='GraFormer',
            num_frames='${num_frames}',
            skeleton='${skeleton}',
            channels=96,
            num_layers=5,
            num_heads=4,
        ),
    ),
    head=dict(type='LiftingHead', in_channels=3 * 96, skeleton='${skeleton}'),
    loss=dict(type='SquaredErrorLoss'),
)

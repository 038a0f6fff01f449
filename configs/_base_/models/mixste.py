# MixSTE alone: features of the clip, one linear map to the pose. DiffHPE's baseline: C = 64, plain squared error.
num_frames = 27

model = dict(
    type='PoseDiffusionEstimator',
    data_preprocessor=dict(type='LiftingPreprocessor'),
    conditioner=dict(
        type='LifterConditioner',
        lifter=dict(
            type='MixSTE',
            num_frames='${num_frames}',
            skeleton='${skeleton}',
            channels=64,
            depth=8,
            num_heads=8,
            mlp_ratio=2.0,
            drop_path_rate=0.1,
        ),
    ),
    head=dict(type='LiftingHead', in_channels=64, skeleton='${skeleton}'),
    loss=dict(type='SquaredErrorLoss'),
)

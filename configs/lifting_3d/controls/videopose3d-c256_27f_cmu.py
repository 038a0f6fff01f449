# Control without diffusion: VideoPose3D's convolutions over time, a quarter as wide (Pavllo et al., CVPR 2019).
_base_ = '../mixste/mixste-c64_27f_cmu.py'

model = dict(
    conditioner=dict(
        lifter=dict(
            _delete_=True,
            type='TemporalConvolution',
            in_channels=5,
            hidden_channels=256,
            num_frames='${num_frames}',
            skeleton='${skeleton}',
        )
    ),
    head=dict(in_channels=3),
)

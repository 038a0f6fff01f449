# Control without diffusion: a perceptron that sees one frame (Martinez et al., ICCV 2017).
_base_ = '../mixste/mixste-c64_27f_cmu.py'

model = dict(
    conditioner=dict(
        lifter=dict(
            _delete_=True,
            type='ResidualMLP',
            in_channels=5,
            num_frames='${num_frames}',
            skeleton='${skeleton}',
        )
    ),
    head=dict(in_channels=3),
)

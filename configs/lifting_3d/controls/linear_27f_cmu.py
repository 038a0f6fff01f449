# Control without diffusion: a linear map from the joints of a frame.
_base_ = '../mixste/mixste-c64_27f_cmu.py'

model = dict(
    conditioner=dict(
        lifter=dict(
            _delete_=True,
            type='LinearLifter',
            in_channels=5,
            num_frames='${num_frames}',
            skeleton='${skeleton}',
        )
    ),
    head=dict(in_channels=3),
)

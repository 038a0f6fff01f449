# One frame and a plain heatmap head.
_base_ = '../diffpose/diffpose_movenet-lightning_jhmdb-128x96.py'

num_frames = 1
model = dict(
    conditioner=dict(
        _delete_=True,
        type='SingleFrameConditioner',
        in_channels='${movenet_maps}',
        num_frames='${num_frames}',
        channels='${channels}',
        patch_size=4,
        detail=True,
    ),
    denoiser=None,
    noise_scheduler=None,
    sampler=None,
    head=dict(in_channels='${channels + movenet_maps * 16}', channels=64, detail_channels='${movenet_maps}'),
    test_cfg=dict(_delete_=True),
)

# Baseline without diffusion, not in the paper: DiffPose's backbone and representation learner, a plain heatmap head.
_base_ = '../diffpose/diffpose_movenet-lightning_jhmdb-128x96.py'

model = dict(
    denoiser=None,
    noise_scheduler=None,
    sampler=None,
    head=dict(in_channels='${channels + movenet_maps * 16}', channels=64, detail_channels='${movenet_maps}'),
    test_cfg=dict(_delete_=True),
)

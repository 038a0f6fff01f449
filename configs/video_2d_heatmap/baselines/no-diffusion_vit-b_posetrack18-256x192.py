# Baseline without diffusion, not in the paper: DiffPose's backbone and representation learner, a plain heatmap head.
_base_ = '../diffpose/diffpose_vit-b_posetrack18-256x192.py'

model = dict(
    denoiser=None,
    noise_scheduler=None,
    sampler=None,
    head=dict(in_channels='${channels}'),
    test_cfg=dict(_delete_=True),
)

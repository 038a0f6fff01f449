# The control that the paper lacks: backbone and representation learner of DiffPose, a plain heatmap head, no diffusion.
_base_ = '../diffpose/diffpose_vit-b_posetrack18-256x192.py'

model = dict(
    denoiser=None,
    noise_scheduler=None,
    sampler=None,
    head=dict(in_channels='${channels}'),
    test_cfg=dict(_delete_=True),
)

# Table 5, Low-resolution: no multi-scale features.
_base_ = './diffpose_vit-b_posetrack17-256x192.py'

model = dict(denoiser=dict(channels=(256,)))

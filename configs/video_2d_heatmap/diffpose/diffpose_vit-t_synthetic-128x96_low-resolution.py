# Table 5, Low-resolution: no multi-scale features.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(denoiser=dict(channels=(128,)))

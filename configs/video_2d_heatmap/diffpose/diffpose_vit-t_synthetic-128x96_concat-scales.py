# Table 5 (b): scales are concatenated and mapped instead of added.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(denoiser=dict(fusion='concat'))

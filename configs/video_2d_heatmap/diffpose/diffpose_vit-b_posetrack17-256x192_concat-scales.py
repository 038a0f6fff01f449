# Table 5 (b): scales are concatenated and mapped instead of added.
_base_ = './diffpose_vit-b_posetrack17-256x192.py'

model = dict(denoiser=dict(fusion='concat'))

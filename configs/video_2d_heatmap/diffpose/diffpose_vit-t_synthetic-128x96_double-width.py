# Twice as many channels in the decoder.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(denoiser=dict(channels=(256, 128, 64), out_channels=64))

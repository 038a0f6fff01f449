# Half as many channels in the decoder.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(denoiser=dict(channels=(64, 32, 16), out_channels=16))

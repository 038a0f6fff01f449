_base_ = './diffhpe-2d_27f_cmu.py'

model = dict(denoiser=dict(channels=32, num_layers=8, step_channels=64))

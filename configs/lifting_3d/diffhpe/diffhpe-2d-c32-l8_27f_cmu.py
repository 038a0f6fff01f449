# Sized for two CPU cores: 8 layers of 32 channels, small batches.
_base_ = './diffhpe-2d_27f_cmu.py'

model = dict(denoiser=dict(channels=32, num_layers=8, step_channels=64))
train_dataloader = dict(batch_size=32)
auto_scale_lr = dict(base_batch_size=32)

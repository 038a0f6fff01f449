# Sized for two CPU cores: 8 layers of 32 channels on the features of mixste-c64-d4, 40 epochs of small batches.
_base_ = './diffhpe-wrapper_27f_cmu.py'

model = dict(
    conditioner=dict(lifter=dict(depth=4), checkpoint='checkpoints/mixste-c64-d4_27f_cmu.pth'),
    denoiser=dict(channels=32, num_layers=8, step_channels=64, pose_channels=32, dropout=0.03),
)
train_dataloader = dict(batch_size=32)
max_epochs = 40
train_cfg = dict(max_epochs=max_epochs, val_interval=10)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_epochs)]
auto_scale_lr = dict(base_batch_size=32)

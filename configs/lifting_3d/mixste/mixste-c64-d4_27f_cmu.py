# Sized for two CPU cores: half the depth, 30 epochs of small batches.
_base_ = './mixste-c64_27f_cmu.py'

model = dict(conditioner=dict(lifter=dict(depth=4, drop_path_rate=0.0)))
train_dataloader = dict(batch_size=32)
max_epochs = 30
train_cfg = dict(max_epochs=max_epochs, val_interval=10)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_epochs)]
auto_scale_lr = dict(base_batch_size=32)

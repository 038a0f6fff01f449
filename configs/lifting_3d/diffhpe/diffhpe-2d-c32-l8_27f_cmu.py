# Sized for two CPU cores: 8 layers of 32 channels, small batches, data prepared in the main process.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/cmu.py',
    '../../_base_/models/diffhpe-2d.py',
    '../../_base_/schedules/one_cycle.py',
]

model = dict(
    conditioner=dict(center=True),
    denoiser=dict(condition_channels=5, channels=32, num_layers=8, step_channels=64),
)
num_workers = 0
train_dataloader = dict(batch_size=32)
# 50 steps of 5 hypotheses are slow: validation during training takes a sample of the windows, every 20 epochs.
val_dataloader = dict(dataset=dict(max_items=200))
train_cfg = dict(val_interval=20)
auto_scale_lr = dict(base_batch_size=32)

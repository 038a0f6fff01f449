# Sized for two CPU cores: half the depth, 30 epochs of small batches, data prepared in the main process.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/cmu.py',
    '../../_base_/models/mixste.py',
    '../../_base_/schedules/one_cycle.py',
]

model = dict(conditioner=dict(center=True, lifter=dict(in_channels=5, depth=4, drop_path_rate=0.0)))
num_workers = 0
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_epochs=30, val_interval=10)
auto_scale_lr = dict(base_batch_size=32)

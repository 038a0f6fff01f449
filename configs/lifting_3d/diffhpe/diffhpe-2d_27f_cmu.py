_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/cmu.py',
    '../../_base_/models/diffhpe-2d.py',
    '../../_base_/schedules/one_cycle.py',
]

# Camera positions vary: the denoiser gets centred joints, and their centre and size as extra channels.
model = dict(conditioner=dict(center=True), denoiser=dict(condition_channels=5))
train_dataloader = dict(batch_size=64)
# 50 steps of 5 hypotheses are slow: validation during training takes a sample of the windows, every 20 epochs.
val_dataloader = dict(dataset=dict(max_items=200))
train_cfg = dict(val_interval=20)

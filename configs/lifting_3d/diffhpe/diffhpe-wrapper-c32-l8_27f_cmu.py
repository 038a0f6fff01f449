# Sized for two CPU cores: 8 layers of 32 channels on the features of mixste-c64-d4, 40 epochs of small batches, data
# prepared in the main process.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/cmu.py',
    '../../_base_/models/diffhpe-wrapper.py',
    '../../_base_/schedules/one_cycle.py',
]

model = dict(
    conditioner=dict(
        center=True, lifter=dict(in_channels=5, depth=4), checkpoint='checkpoints/mixste-c64-d4_27f_cmu.pth'
    ),
    denoiser=dict(channels=32, num_layers=8, step_channels=64, pose_channels=32, dropout=0.03),
)
num_workers = 0
train_dataloader = dict(batch_size=32)
# 50 steps of 5 hypotheses are slow: validation during training takes a sample of the windows, every 10 epochs.
val_dataloader = dict(dataset=dict(max_items=200))
train_cfg = dict(max_epochs=40, val_interval=10)
auto_scale_lr = dict(base_batch_size=32)

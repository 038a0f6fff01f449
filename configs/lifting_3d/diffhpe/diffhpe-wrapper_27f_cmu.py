_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/cmu.py',
    '../../_base_/models/diffhpe-wrapper.py',
    '../../_base_/schedules/one_cycle.py',
]

# Camera positions vary: the lifter gets centred joints, and their centre and size as extra channels.
model = dict(
    conditioner=dict(center=True, lifter=dict(in_channels=5), checkpoint='checkpoints/mixste-c64_27f_cmu.pth'),
)
train_dataloader = dict(batch_size=64)
# 50 steps of 5 hypotheses are slow: validation during training takes a sample of the windows, every 20 epochs.
val_dataloader = dict(dataset=dict(max_items=200))
train_cfg = dict(val_interval=20)

_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/cmu.py',
    '../../_base_/models/diffpose3d.py',
    '../../_base_/schedules/one_cycle.py',
]

# Camera positions vary: the lifter gets centred joints, and their centre and size as extra channels.
model = dict(
    conditioner=dict(center=True, lifter=dict(in_channels=5), checkpoint='checkpoints/graformer_1f_cmu.pth'),
)
train_dataloader = dict(batch_size=256)
auto_scale_lr = dict(base_batch_size=256)

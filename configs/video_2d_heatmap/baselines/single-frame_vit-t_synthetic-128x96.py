# One frame, a plain heatmap head: what the backbones of the 128x96 rows begin as. Publish it as
# checkpoints/single-frame_vit-t_synthetic-128x96.pth
_base_ = './no-diffusion_vit-t_synthetic-128x96.py'

model = dict(
    backbone=dict(checkpoint=None),
    head=dict(channels=64),
    conditioner=dict(
        _delete_=True,
        type='SingleFrameConditioner',
        in_channels=192,
        num_frames=1,
        channels={{_base_.channels}},
    ),
)
train_dataloader = dict(batch_size=32, dataset=dict(num_frames=1, items_per_epoch=8192))
val_dataloader = test_dataloader = dict(dataset=dict(num_frames=1))
auto_scale_lr = dict(base_batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-3))

max_epochs = 45
train_cfg = dict(max_epochs=max_epochs, val_interval=15)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', eta_min_ratio=0.01, by_epoch=True, end=max_epochs, convert_to_iter_based=True),
]

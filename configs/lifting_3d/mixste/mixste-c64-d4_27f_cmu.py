_base_ = './mixste-c64_27f_cmu.py'

max_epochs = 40
model = dict(conditioner=dict(lifter=dict(depth=4, drop_path_rate=0.0)))
train_dataloader = dict(batch_size=64)
train_cfg = dict(max_epochs=max_epochs, val_interval=10)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=True, begin=0, end=2, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', eta_min_ratio=0.01, by_epoch=True, begin=2, end=max_epochs, convert_to_iter_based=True
    ),
]

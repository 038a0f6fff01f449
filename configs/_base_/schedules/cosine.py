# A warm-up of 100 iterations, then a cosine descent to the last epoch.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=5e-4, weight_decay=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        eta_min_ratio=0.01,
        by_epoch=True,
        end='${train_cfg.max_epochs}',
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=12, val_interval='${train_cfg.max_epochs}')
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=16)

# Official DiffHPE: Adam, rate halved on a plateau of 11 validations, one validation in 5 epochs.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=2.7014e-4, betas=(0.9, 0.999), weight_decay=1e-6)
)
param_scheduler = dict(
    type='ReduceOnPlateauLR',
    monitor='${monitor.metric}',
    rule='${monitor.rule}',
    factor=0.5,
    patience=11,
    threshold=0.1,
    by_epoch=True,
)
train_cfg = dict(by_epoch=True, max_epochs=1000, val_interval=5)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=100)

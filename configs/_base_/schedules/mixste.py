# MixSTE's own recipe: AdamW, rate x 0.99 an epoch, 120 epochs.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=4e-5, betas=(0.9, 0.999), weight_decay=0.1))
param_scheduler = dict(type='ExponentialLR', gamma=0.99, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=120, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=4)

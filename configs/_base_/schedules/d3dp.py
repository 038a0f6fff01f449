# Official D3DP: AdamW, rate x 0.993 an epoch, 400 epochs.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=6e-5, betas=(0.9, 0.999), weight_decay=0.1))
param_scheduler = dict(type='ExponentialLR', gamma=0.993, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=400, val_interval=20)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=4)

# DiffPose, section 4.1: AdamW 5e-4, a tenth after 20 and after 40 of 60 epochs.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=5e-4, weight_decay=0.01))
param_scheduler = dict(type='MultiStepLR', milestones=[20, 40], gamma=0.1, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=5)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=64)

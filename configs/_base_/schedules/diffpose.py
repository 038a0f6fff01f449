# DiffPose, section 4.1: AdamW 5e-4, a tenth of it after 20 and again after 40 of 60 epochs: each third of a training.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=5e-4, weight_decay=0.01))
param_scheduler = dict(
    type='MultiStepLR',
    milestones=['${ceil(train_cfg.max_epochs / 3)}', '${ceil(2 * train_cfg.max_epochs / 3)}'],
    gamma=0.1,
    by_epoch=True,
)
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=5)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=64)

# Official FMPose3D: Adam (amsgrad), 79 epochs of all frames and their mirror images, rate x 0.98 an epoch and x 0.8
# every fifth. An epoch here is one pass over as many frames, half of them mirrored: twice as many epochs.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3, amsgrad=True))
param_scheduler = [
    dict(type='ExponentialLR', gamma=0.98**0.5, by_epoch=True),
    dict(type='StepLR', step_size=10, gamma=0.8 / 0.98, by_epoch=True),
]
train_cfg = dict(by_epoch=True, max_epochs=158, val_interval=2)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=256)

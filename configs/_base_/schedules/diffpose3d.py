# Official DiffPose for 3D poses: Adam, rate x 0.9 after 61 epochs, 80 epochs. It clips the gradient of
# a loss that sums over 17 joints and 5 channels at 1; that of the mean is 85 times smaller.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-5), clip_grad=dict(max_norm=1.0 / (17 * 5)))
param_scheduler = dict(type='StepLR', step_size=61, gamma=0.9, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=80, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=1024)

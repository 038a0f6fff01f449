# The baseline of DiffHPE's code: 25 sequences a batch (675 frames), rate 4e-5, 500 epochs, squared error.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/human36m.py',
    '../../_base_/models/mixste.py',
    '../../_base_/schedules/diffhpe.py',
]

train_dataloader = dict(batch_size=25)
optim_wrapper = dict(optimizer=dict(lr=4e-5))
train_cfg = dict(max_epochs=500)
auto_scale_lr = dict(base_batch_size=25)

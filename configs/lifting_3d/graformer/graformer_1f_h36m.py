# The released code holds the lifter's weights, not its training: the recipe here is this project's.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/human36m.py',
    '../../_base_/models/graformer.py',
    '../../_base_/schedules/one_cycle.py',
]

train_dataloader = dict(batch_size=256, dataset=dict(exclude_last_start=False))
val_dataloader = dict(batch_size=1024)
test_dataloader = dict(batch_size=1024)
auto_scale_lr = dict(base_batch_size=256)

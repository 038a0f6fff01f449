_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/human36m.py',
    '../../_base_/models/diffhpe-2d.py',
    '../../_base_/schedules/diffhpe.py',
]

optim_wrapper = dict(optimizer=dict(lr=8.0835e-4))
# 50 steps of 5 hypotheses are slow: validation during training takes a sample of the windows.
val_dataloader = dict(dataset=dict(max_items=500))

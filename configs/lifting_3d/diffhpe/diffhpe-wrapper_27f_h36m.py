_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/human36m.py',
    '../../_base_/models/diffhpe-wrapper.py',
    '../../_base_/schedules/diffhpe.py',
]

model = dict(conditioner=dict(checkpoint='checkpoints/mixste-c64_27f_h36m.pth'))
# 50 steps of 5 hypotheses are slow: validation during training takes a sample of the windows.
val_dataloader = dict(dataset=dict(max_items=500))

# Mirrored in training; 4 windows a batch, about 1024 frames.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/human36m.py',
    '../../_base_/models/d3dp.py',
    '../../_base_/schedules/d3dp.py',
]

train_dataloader = dict(batch_size=4, dataset=dict(pipeline=[dict(type='LiftingRandomFlip'), *_base_.train_pipeline]))
# 20 hypotheses in 10 mirrored steps are slow: validation during training takes a sample of the windows.
val_dataloader = dict(batch_size=4, dataset=dict(max_items=200))
test_dataloader = dict(batch_size=4)

_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/human36m.py',
    '../../_base_/models/fmpose3d.py',
    '../../_base_/schedules/fmpose3d.py',
]

train_dataloader = dict(
    batch_size=256,
    dataset=dict(
        exclude_last_start=False,
        pipeline=[dict(type='LiftingRandomFlip', prob=0.5), *_base_.train_pipeline],
    ),
)
# 40 hypotheses of every frame are slow: validation during training takes a sample of the frames.
val_dataloader = dict(batch_size=256, dataset=dict(max_items=5000))
test_dataloader = dict(batch_size=256)

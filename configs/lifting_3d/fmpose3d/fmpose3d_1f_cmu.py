_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/cmu.py',
    '../../_base_/models/fmpose3d.py',
    '../../_base_/schedules/one_cycle.py',
]

# Camera positions vary: the denoiser gets centred joints, and their centre and size as extra channels.
model = dict(conditioner=dict(center=True), denoiser=dict(condition_channels=5))
train_dataloader = dict(batch_size=256)
# 40 hypotheses of every frame are slow: validation during training takes a sample of the frames.
val_dataloader = dict(dataset=dict(max_items=2000))
auto_scale_lr = dict(base_batch_size=256)

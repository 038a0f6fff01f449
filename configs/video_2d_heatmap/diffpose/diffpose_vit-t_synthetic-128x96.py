# The same on smaller crops: what the rows of docs/benchmarks.md are trained with.
_base_ = './diffpose_vit-t_synthetic-256x192.py'

input_size = (96, 128)
codec = dict(input_size=input_size, heatmap_size=(24, 32), sigma=1.5)
heatmap_size = (32, 24)
train_pipeline = [
    *_base_.train_pipeline[:-3],
    dict(type='mmpose.TopdownAffine', input_size=input_size, use_udp=True),
    dict(type='mmpose.GenerateTarget', encoder=dict(type='UDPHeatmap', **codec)),
    _base_.train_pipeline[-1],
]
test_pipeline = [
    *_base_.test_pipeline[:-2],
    dict(type='mmpose.TopdownAffine', input_size=input_size, use_udp=True),
    _base_.test_pipeline[-1],
]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(batch_size=32, dataset=dict(pipeline=test_pipeline))

model = dict(
    backbone=dict(img_size=(128, 96)),
    conditioner=dict(size=(8, 6)),
    denoiser=dict(heatmap_size=heatmap_size),
    head=dict(codec=codec),
)

# The same on smaller crops, from a backbone trained on single frames: the rows of docs/benchmarks.md.
_base_ = './diffpose_vit-t_synthetic-256x192.py'

input_size = (96, 128)
codec = dict(input_size=input_size, heatmap_size=(24, 32), sigma=2.0)
heatmap_size = (32, 24)
train_pipeline = [
    *_base_.train_pipeline[:3],
    # milder than the paper's: there are far fewer images
    dict(type='mmpose.RandomBBoxTransform', shift_factor=0.0, scale_factor=(0.85, 1.15), rotate_factor=15),
    dict(type='mmpose.TopdownAffine', input_size=input_size, use_udp=True),
    dict(type='mmpose.GenerateTarget', encoder=dict(type='UDPHeatmap', **codec)),
    _base_.train_pipeline[-1],
]
test_pipeline = [
    *_base_.test_pipeline[:-2],
    dict(type='mmpose.TopdownAffine', input_size=input_size, use_udp=True),
    _base_.test_pipeline[-1],
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline, items_per_epoch=2048))
val_dataloader = test_dataloader = dict(batch_size=32, dataset=dict(pipeline=test_pipeline))

model = dict(
    backbone=dict(img_size=(128, 96), checkpoint='checkpoints/single-frame_vit-t_synthetic-128x96.pth'),
    conditioner=dict(size=(8, 6)),
    denoiser=dict(heatmap_size=heatmap_size),
    head=dict(codec=codec),
)

max_epochs = 12
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', eta_min_ratio=0.01, by_epoch=True, end=max_epochs, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=16)

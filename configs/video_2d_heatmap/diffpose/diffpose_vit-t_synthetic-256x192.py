# Small enough for two CPU cores, on tools/dataset_converters/make_synthetic_video.py data/synthetic_video
_base_ = './diffpose_vit-b_posetrack18-256x192.py'

data_root = 'data/synthetic_video/'
train_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(source=dict(data_root=data_root)))
val_dataloader = test_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(source=dict(data_root=data_root))
)
val_evaluator = test_evaluator = dict(gt_folder=data_root + 'annotations/val')

channels = 128
model = dict(
    backbone=dict(
        model_name='vit_tiny_patch16_224',
        stem='convolution',  # for few images, and no pretrained weights
        pretrained=False,
        model_kwargs=dict(depth=4, drop_path_rate=0.0),
    ),
    conditioner=dict(in_channels=192, channels=channels, depth=2),
    denoiser=dict(condition_channels=channels, channels=(128, 64, 32), out_channels=32),
)

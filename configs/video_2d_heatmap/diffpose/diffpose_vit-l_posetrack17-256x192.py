_base_ = './diffpose_vit-b_posetrack17-256x192.py'

model = dict(
    backbone=dict(model_name='vit_large_patch16_224.mae', model_kwargs=dict(drop_path_rate=0.5)),
    conditioner=dict(in_channels=1024),
)

_base_ = './diffpose_vit-b_posetrack17-256x192.py'

model = dict(
    backbone=dict(model_name='deit_small_patch16_224.fb_in1k', model_kwargs=dict(drop_path_rate=0.1)),
    conditioner=dict(in_channels=384),
)

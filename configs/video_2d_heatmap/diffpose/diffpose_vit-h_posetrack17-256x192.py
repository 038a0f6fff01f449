# Patches of 16 as in ViTPose: the pretrained ones of 14 are resampled.
_base_ = './diffpose_vit-b_posetrack17-256x192.py'

model = dict(
    backbone=dict(model_name='vit_huge_patch14_224.mae', model_kwargs=dict(patch_size=16, drop_path_rate=0.55)),
    conditioner=dict(in_channels=1280),
)

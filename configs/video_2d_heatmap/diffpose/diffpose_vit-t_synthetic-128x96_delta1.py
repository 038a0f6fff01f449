# Table 8, δ = 1.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(conditioner=dict(num_frames=3))
train_dataloader = dict(dataset=dict(num_frames=3))
val_dataloader = test_dataloader = dict(dataset=dict(num_frames=3))

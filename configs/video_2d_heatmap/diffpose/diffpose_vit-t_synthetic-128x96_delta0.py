# Table 8, δ = 0.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(conditioner=dict(num_frames=1))
train_dataloader = dict(dataset=dict(num_frames=1))
val_dataloader = test_dataloader = dict(dataset=dict(num_frames=1))

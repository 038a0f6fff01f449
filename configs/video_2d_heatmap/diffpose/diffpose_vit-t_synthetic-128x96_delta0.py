# Table 8, δ = 0.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

num_frames = 1

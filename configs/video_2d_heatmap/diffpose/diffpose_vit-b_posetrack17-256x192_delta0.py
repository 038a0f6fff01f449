# Table 8, δ = 0.
_base_ = './diffpose_vit-b_posetrack17-256x192.py'

num_frames = 1

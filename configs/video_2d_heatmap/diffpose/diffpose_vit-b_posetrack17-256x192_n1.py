# Table 6, N = 1: the trained model of the parent, tested otherwise.
_base_ = './diffpose_vit-b_posetrack17-256x192.py'

model = dict(test_cfg=dict(num_hypotheses=1))

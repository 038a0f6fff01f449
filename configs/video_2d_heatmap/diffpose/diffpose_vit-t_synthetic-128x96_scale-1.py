# Heatmaps from -1 to 1 before noise is added, instead of 0 to 1.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(head=dict(scale=2.0, offset=0.5))

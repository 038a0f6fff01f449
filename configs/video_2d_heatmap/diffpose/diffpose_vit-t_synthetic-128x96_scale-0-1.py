# Heatmaps as the paper names them, 0 to 1, before noise is added.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(head=dict(scale=1.0, offset=0.0))

# Heatmaps from -2 to 2, as DiffusionDet scales its boxes.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(head=dict(scale=4.0))

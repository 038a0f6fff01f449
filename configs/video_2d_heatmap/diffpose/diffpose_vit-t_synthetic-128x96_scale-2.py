# Heatmaps from -2 to 2 before noise is added, as DiffusionDet scales its boxes.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(head=dict(scale=4.0, offset=0.5))

# Heatmaps from 0 to 0.5 before noise is added, instead of 0 to 1: a lower signal-to-noise ratio at every step.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(head=dict(scale=0.5))

# The decoder also gets its previous estimate of the heatmaps.
_base_ = './diffpose_movenet-thunder_jhmdb-128x96.py'

model = dict(denoiser=dict(self_conditioning=True))

# One mask per joint at every resolution of the decoder, instead of one for all joints.
_base_ = './diffpose_movenet-thunder_jhmdb-128x96.py'

model = dict(denoiser=dict(masks='joint'))

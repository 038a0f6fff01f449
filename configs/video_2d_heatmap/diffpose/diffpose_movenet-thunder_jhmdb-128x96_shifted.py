# Four times the ratio of noise to signal at every step: the noise hides the position of a joint in more of the steps.
_base_ = './diffpose_movenet-thunder_jhmdb-128x96.py'

model = dict(noise_scheduler=dict(shift=4.0))

# Half of the batches are states that the sampler reaches with the model's own estimate, instead of noisy labels.
_base_ = './diffpose_movenet-thunder_jhmdb-128x96.py'

model = dict(train_cfg=dict(own_states=0.5))

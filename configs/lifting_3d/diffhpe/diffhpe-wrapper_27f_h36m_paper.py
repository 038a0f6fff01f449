# The paper's figures (table 1, section 4.2): 200 sequences a batch, a plateau of 50 epochs, rate and dropout rounded.
_base_ = './diffhpe-wrapper_27f_h36m.py'

train_dataloader = dict(batch_size=200)
param_scheduler = dict(patience=10, threshold=1e-4)
optim_wrapper = dict(optimizer=dict(lr=2.7e-4))
model = dict(denoiser=dict(dropout=0.27))
auto_scale_lr = dict(base_batch_size=200)

# What DiffHPE's paper states (table 1, section 4.2): batches of 1024 frames (38 sequences), a plateau of 50 epochs.
_base_ = './mixste-c64_27f_h36m.py'

train_dataloader = dict(batch_size=38)
param_scheduler = dict(patience=10, threshold=1e-4)
auto_scale_lr = dict(base_batch_size=38)

# The same with 27 frames: 38 windows a batch are as many frames.
_base_ = './d3dp-c512_243f_h36m.py'

num_frames = 27
train_dataloader = dict(batch_size=38)
val_dataloader = dict(batch_size=38, dataset=dict(max_items=1800))
test_dataloader = dict(batch_size=38)
auto_scale_lr = dict(base_batch_size=38)

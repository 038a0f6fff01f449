# One frame and a plain heatmap head. It gives the initial weights of the backbones of the 128x96 configs: publish it as
# checkpoints/single-frame_vit-t_synthetic-128x96.pth
_base_ = '../diffpose/diffpose_vit-t_synthetic-128x96.py'

num_frames = 1
model = dict(
    backbone=dict(checkpoint=None),
    conditioner=dict(
        _delete_=True,
        type='SingleFrameConditioner',
        in_channels=192,
        num_frames='${num_frames}',
        channels='${channels}',
    ),
    denoiser=None,
    noise_scheduler=None,
    sampler=None,
    head=dict(in_channels='${channels}', channels=64),
    test_cfg=dict(_delete_=True),
)
train_dataloader = dict(batch_size=32, dataset=dict(items_per_epoch=8192))
auto_scale_lr = dict(base_batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_epochs=45, val_interval=15)

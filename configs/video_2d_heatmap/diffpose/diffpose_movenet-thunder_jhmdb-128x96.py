# DiffPose on a frozen backbone that is pretrained on poses, whose own keypoints are a part of the condition: the cheap
# training in which docs/benchmarks.md compares variants of the diffusion.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/jhmdb_clips.py',
    '../../_base_/models/diffpose.py',
    '../../_base_/models/movenet.py',
    '../../_base_/schedules/cosine.py',
]

input_size = (96, 128)  # w, h in px
codec = dict(sigma=4 / 3)
channels = _base_.movenet_channels
movenet_checkpoint = 'checkpoints/movenet-thunder.pth'
movenet_maps = 58  # with the keypoints
model = _base_.movenet
model.backbone.update(variant='thunder', keypoints=True)
model.train_cfg.update(backbone_gradient='none')
optim_wrapper = _base_.movenet_optimizer
train_cfg = dict(max_epochs=6, val_interval=3)

# DiffPose on a frozen backbone that is pretrained on poses, whose own keypoints are a part of the condition: the cheap
# training in which docs/benchmarks.md compares variants of the diffusion.
_base_ = './diffpose_movenet-lightning_jhmdb-128x96.py'

movenet_checkpoint = 'checkpoints/movenet-thunder.pth'
movenet_maps = 58  # with the keypoints
model = dict(backbone=dict(variant='thunder', keypoints=True), train_cfg=dict(backbone_gradient='none'))
train_cfg = dict(max_epochs=6)

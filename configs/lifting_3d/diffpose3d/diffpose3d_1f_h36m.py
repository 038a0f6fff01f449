_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/human36m.py',
    '../../_base_/models/diffpose3d.py',
    '../../_base_/schedules/diffpose3d.py',
]

model = dict(conditioner=dict(checkpoint='checkpoints/graformer_1f_h36m.pth'))
# The released code trains on exact 2D keypoints and tests on detected ones.
train_dataloader = dict(batch_size=1024, dataset=dict(exclude_last_start=False, keypoint_2d_src='gt'))
val_dataloader = dict(batch_size=1024)
test_dataloader = dict(batch_size=1024)

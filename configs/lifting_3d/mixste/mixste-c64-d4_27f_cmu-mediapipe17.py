# For keypoints of detectors in images: the joints are where MediaPipe puts them, and found about as exactly: at severity
# 1.5, 95.4 % of the limbs' joints lie within 0.2 torsos, where MediaPipe's authors report 95.5 (BlazePose Full, yoga) and
# 96.0 (AlphaPose, trained on COCO) for the keypoints of COCO. Begins with a lifter of the motion capture's own joints.
_base_ = './mixste-c64-d4_27f_cmu.py'

skeleton = 'mediapipe17'
noise = dict(severity=1.5)
load_from = 'checkpoints/mixste-c64-d4_27f_cmu.pth'
model = dict(conditioner=dict(lifter=dict(skeleton=skeleton)), head=dict(skeleton=skeleton))
train_dataloader = dict(dataset=dict(skeleton=skeleton, noise=noise))
val_dataloader = test_dataloader = dict(dataset=dict(skeleton=skeleton, noise=noise))
max_epochs = 10
optim_wrapper = dict(optimizer=dict(lr=4e-4))
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_epochs)]

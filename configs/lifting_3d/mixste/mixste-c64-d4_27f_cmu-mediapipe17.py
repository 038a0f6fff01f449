# For keypoints of detectors in images: joints where MediaPipe puts them, and found about as exactly. At severity 1.5
# 95.4 % of the joints of the limbs lie within 0.2 torsos; for COCO's keypoints MediaPipe's authors report 95.5
# (BlazePose Full, yoga) and 96.0 (AlphaPose, trained on COCO). Joints may be hidden, as detectors leave them out; left
# and right are mirrored after that. Cameras stand and tilt as footage has it. Begins with the lifter of the motion
# capture's own joints.
_base_ = './mixste-c64-d4_27f_cmu.py'

skeleton = 'mediapipe17'
noise = dict(severity=1.5)
load_from = 'checkpoints/mixste-c64-d4_27f_cmu.pth'
model = dict(conditioner=dict(lifter=dict(skeleton=skeleton)), head=dict(skeleton=skeleton))
occlusion = dict(type='KeypointOcclusion', pattern='all')
train_dataloader = dict(
    dataset=dict(
        skeleton=skeleton,
        camera_preset='anywhere',
        noise=noise,
        pipeline=[occlusion, *_base_.train_pipeline],
    )
)
val_dataloader = test_dataloader = dict(dataset=dict(skeleton=skeleton, noise=noise))
max_epochs = 15
optim_wrapper = dict(optimizer=dict(lr=4e-4))
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_epochs)]

# For keypoints of image detectors: MediaPipe's joint positions, with simulated detector noise. At severity 1.5,
# 95.4 % of the joints of the limbs lie within 0.2 torsos; for COCO's keypoints MediaPipe's authors report 95.5 %
# (BlazePose Full, yoga) and 96.0 % (AlphaPose, trained on COCO). Camera positions and tilts are those of real footage.
# Training starts from the lifter of CMU's own joints.
_base_ = './mixste-c64-d4_27f_cmu.py'

skeleton = 'mediapipe17'
noise = dict(severity=1.5)
load_from = 'checkpoints/mixste-c64-d4_27f_cmu.pth'
# Detectors miss joints: in training any joint may be hidden, before left and right are mirrored.
train_dataloader = dict(
    dataset=dict(
        camera_preset='anywhere',
        noise=noise,
        pipeline=[dict(type='KeypointOcclusion', pattern='all'), *_base_.train_pipeline],
    )
)
val_dataloader = test_dataloader = dict(dataset=dict(noise=noise))
optim_wrapper = dict(optimizer=dict(lr=4e-4))
train_cfg = dict(max_epochs=15, val_interval=5)

# For keypoints of detectors in images, see mixste-c64-d4_27f_cmu-mediapipe17.py.
_base_ = './diffhpe-wrapper-c32-l8_27f_cmu.py'

skeleton = 'mediapipe17'
noise = dict(severity=1.5)
model = dict(
    conditioner=dict(lifter=dict(skeleton=skeleton), checkpoint='checkpoints/mixste-c64-d4_27f_cmu-mediapipe17.pth'),
    denoiser=dict(
        skeleton=skeleton,
        init_cfg=dict(
            type='Pretrained', checkpoint='checkpoints/diffhpe-wrapper-c32-l8_27f_cmu.pth', prefix='denoiser.'
        ),
    ),
    head=dict(skeleton=skeleton),
)
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
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_epochs)]

# For keypoints of image detectors, see mixste-c64-d4_27f_cmu-mediapipe17.py.
_base_ = './diffhpe-wrapper-c32-l8_27f_cmu.py'

skeleton = 'mediapipe17'
noise = dict(severity=1.5)
model = dict(
    conditioner=dict(checkpoint='checkpoints/mixste-c64-d4_27f_cmu-mediapipe17.pth'),
    denoiser=dict(
        init_cfg=dict(
            type='Pretrained', checkpoint='checkpoints/diffhpe-wrapper-c32-l8_27f_cmu.pth', prefix='denoiser.'
        ),
    ),
)
# Detectors miss joints: in training any joint may be hidden, before left and right are mirrored.
train_dataloader = dict(
    dataset=dict(
        camera_preset='anywhere',
        noise=noise,
        pipeline=[dict(type='KeypointOcclusion', pattern='all'), *_base_.train_pipeline],
    )
)
val_dataloader = test_dataloader = dict(dataset=dict(noise=noise))
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_cfg = dict(max_epochs=15, val_interval=5)

# The lifter for keypoints of image detectors: 3.2 s of video, of all body shapes, speeds and cameras, with parts of the
# body outside the picture. See ../mixste/mixste-c64-d4_27f_cmu-mediapipe17.py for the severity of the noise.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/cmu.py',
    '../../_base_/models/temporal_transformer.py',
    '../../_base_/schedules/one_cycle.py',
]

skeleton = 'mediapipe17'
fps = 25.0
noise = dict(severity=1.5)
num_workers = 0
# The parameters of the noise are per frame, and validation is filmed at 50 frames per second: memory, durations and
# rates of training at 25 are those of every second frame.
slow_noise = dict(
    severity=1.5, decay=0.7225, run_length=2.0, speed_gain=0.06, swap_rate=0.002, outlier_rate=0.0014, drop_rate=0.002
)
train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        fps='${fps}',
        camera_preset='anywhere',
        noise='${slow_noise}',
        items_per_epoch=8192,
        variation=dict(segment_std=0.06, speed=(0.7, 1.4), crossover=0.25, tilt=0.1),
        pipeline=[
            dict(type='HeldFrames', prob=0.1),
            dict(type='KeypointOcclusion', pattern='all'),
            dict(type='BodyPartOcclusion', prob=0.35),
            *_base_.train_pipeline,
        ],
    ),
)
val_dataloader = test_dataloader = dict(dataset=dict(fps='${fps}', noise='${noise}'))
optim_wrapper = dict(
    type='BFloat16OptimWrapper', optimizer=dict(_delete_=True, type='MuonAdamW', lr=2e-3, weight_decay=0.02)
)
train_cfg = dict(max_epochs=80, val_interval=80)

# CMU motion capture: posediff convert cmu SRC data/cmu
# Training windows are filmed by a new random camera at every draw; subjects 02, 05, 29 and 35 validate.
dataset_type = 'CMUMocapDataset'
data_root = 'data/cmu/'
skeleton = 'cmu17'
fps = 50.0  # of the data; clips of another rate are resampled to it before they are lifted
monitor = dict(metric='lifting/mpjpe', rule='less')
num_workers = 4
occlusion = []  # transforms that hide keypoints, in training and in tests

train_pipeline = [dict(type='LiftingRandomFlip', prob=0.5), '*${occlusion}', dict(type='PackLiftingInputs')]
test_pipeline = ['*${occlusion}', dict(type='PackLiftingInputs')]

train_dataloader = dict(
    batch_size=100,
    num_workers='${num_workers}',
    persistent_workers='${num_workers > 0}',
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        data_root='${data_root}',
        split='train',
        window_size='${num_frames}',
        skeleton='${skeleton}',
        keypoint_2d_src='detection',
        action_balance=0.5,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=100,
    num_workers='${num_workers}',
    persistent_workers='${num_workers > 0}',
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        data_root='${data_root}',
        split='val',
        window_size='${num_frames}',
        skeleton='${skeleton}',
        keypoint_2d_src='detection',
        num_cameras=1,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='LiftingMetric')
test_evaluator = val_evaluator

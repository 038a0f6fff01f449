# Not named h36m.py: MMPose looks for a file of that name under ./configs for its own metainfo.
# Human3.6M in MMPose's files: posediff convert h36m data_3d_h36m.npz data/h36m
#   --detections data_2d_h36m_cpn_ft_h36m_dbb.npz
# Train on S1, S5, S6, S7, S8; test on S9, S11. 2D keypoints are CPN's; `keypoint_2d_src='gt'` for exact ones.
dataset_type = 'Human36MLiftingDataset'
data_root = 'data/h36m/'
skeleton = 'h36m17'
fps = 50.0  # of the data; clips of another rate are resampled to it before they are lifted
monitor = dict(metric='lifting/mpjpe', rule='less')
num_workers = 4
occlusion = []  # transforms that hide keypoints, in training and in tests

train_pipeline = ['*${occlusion}', dict(type='PackLiftingInputs')]
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
        ann_file='annotation_body3d/fps50/h36m_train.npz',
        camera_param_file='annotation_body3d/cameras.pkl',
        keypoint_2d_src='detection',
        keypoint_2d_det_file='joint_2d_det_files/cpn_ft_h36m_dbb_train.npy',
        window_size='${num_frames}',
        fps='${fps}',
        exclude_last_start=True,
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
        ann_file='annotation_body3d/fps50/h36m_test.npz',
        camera_param_file='annotation_body3d/cameras.pkl',
        keypoint_2d_src='detection',
        keypoint_2d_det_file='joint_2d_det_files/cpn_ft_h36m_dbb_test.npy',
        window_size='${num_frames}',
        fps='${fps}',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='LiftingMetric')
test_evaluator = val_evaluator

# Clips in PoseTrack's format: 2δ + 1 frames around every person, cropped to the key frame's box enlarged by 25 %.
# In the same `_base_` list: person_crops.py, and posetrack2017.py, posetrack2018.py, posetrack2021.py or
# synthetic_video.py.
dataset_type = 'PoseTrackClipDataset'
monitor = dict(metric='posetrack/AP', rule='greater')

train_pipeline = [
    '${load}',
    dict(type='mmpose.GetBBoxCenterScale', padding=1.25),
    dict(type='mmpose.RandomFlip', direction='horizontal'),
    dict(type='mmpose.RandomHalfBody'),
    dict(type='mmpose.RandomBBoxTransform', shift_factor=0.0, rotate_factor=45, scale_factor=(0.65, 1.35)),
    dict(type='mmpose.TopdownAffine', input_size='${input_size}', use_udp=True),
    dict(type='mmpose.GenerateTarget', encoder='${codec}'),
    '${pack}',
]
test_pipeline = [
    '${load}',
    dict(type='mmpose.GetBBoxCenterScale', padding=1.25),
    dict(type='mmpose.TopdownAffine', input_size='${input_size}', use_udp=True),
    '${pack}',
]

train_dataloader = dict(
    batch_size=16,
    num_workers='${num_workers}',
    persistent_workers='${num_workers > 0}',
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        source=dict(data_root='${data_root}', ann_file='${train_ann_file}', data_prefix=dict(img='')),
        num_frames='${num_frames}',
        frame_base='${frame_base}',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers='${num_workers}',
    persistent_workers='${num_workers > 0}',
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        source=dict(data_root='${data_root}', ann_file='${val_ann_file}', data_prefix=dict(img='')),
        num_frames='${num_frames}',
        frame_base='${frame_base}',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='PoseTrackAP', gt_folder="${data_root + 'annotations/val'}", protocol='${protocol}')
test_evaluator = val_evaluator

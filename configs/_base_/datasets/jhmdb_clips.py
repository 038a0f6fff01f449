# JHMDB: 2δ + 1 frames around every person, cropped to the key frame's box enlarged by 25 %. Labels are PoseTrack18's 17
# keypoints, of which JHMDB has 14. Prepare the files with: posediff convert jhmdb data/jhmdb
# In the same `_base_` list: person_crops.py.
dataset_type = 'JhmdbClipDataset'
data_root = 'data/jhmdb/'
train_ann_file = 'annotations/split1_train.json'
val_ann_file = 'annotations/split1_train.json'
test_ann_file = 'annotations/split1_test.json'
monitor = dict(metric='pck/PCK@0.1', rule='greater')

joints = dict(
    type='ConvertKeypoints',
    to='posetrack18',
    joints=dict(
        nose='head',  # the centre of the face
        head_bottom='neck',
        left_shoulder='left_shoulder',
        right_shoulder='right_shoulder',
        left_elbow='left_elbow',
        right_elbow='right_elbow',
        left_wrist='left_wrist',
        right_wrist='right_wrist',
        left_hip='left_hip',
        right_hip='right_hip',
        left_knee='left_knee',
        right_knee='right_knee',
        left_ankle='left_ankle',
        right_ankle='right_ankle',
    ),
)
train_pipeline = [
    '${load}',
    '${joints}',
    dict(type='mmpose.GetBBoxCenterScale', padding=1.25),
    dict(type='mmpose.RandomFlip', direction='horizontal'),
    # mild: stronger augmentation is worse in trainings of this length (docs/benchmarks.md)
    dict(type='mmpose.RandomBBoxTransform', shift_factor=0.03, rotate_factor=15, scale_factor=(0.9, 1.15)),
    dict(type='mmpose.TopdownAffine', input_size='${input_size}', use_udp=True),
    dict(type='ClipPhotometricDistortion', prob=0.5),
    dict(type='mmpose.GenerateTarget', encoder='${codec}'),
    '${pack}',
]
evaluation_pipeline = [
    '${load}',
    '${joints}',
    dict(type='mmpose.GetBBoxCenterScale', padding=1.25),
    dict(type='mmpose.TopdownAffine', input_size='${input_size}', use_udp=True),
    '${pack}',
]
test_pipeline = [  # of people without labels: needs no MMPose
    '${load}',
    dict(type='CropPerson', input_size='${input_size}', padding=1.25),
    dict(type='PackClip'),
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
        part='train',
        num_frames='${num_frames}',
        pipeline=train_pipeline,
        items_per_epoch=1024,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers='${num_workers}',
    persistent_workers='${num_workers > 0}',
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        source=dict(data_root='${data_root}', ann_file='${val_ann_file}', data_prefix=dict(img='')),
        part='validation',
        num_frames='${num_frames}',
        test_mode=True,
        pipeline=evaluation_pipeline,
        max_items=256,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers='${num_workers}',
    persistent_workers='${num_workers > 0}',
    pin_memory=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        source=dict(data_root='${data_root}', ann_file='${test_ann_file}', data_prefix=dict(img='')),
        num_frames='${num_frames}',
        test_mode=True,
        pipeline=evaluation_pipeline,
    ),
)
joints_tested = (
    'nose', 'left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist', 'left_hip',
    'right_hip', 'left_knee', 'right_knee', 'left_ankle', 'right_ankle',
)  # fmt: skip
val_evaluator = dict(
    type='KeypointPCK', thresholds=(0.2, 0.1, 0.05), normalizers=('box', 'torso'), joints=joints_tested
)
test_evaluator = val_evaluator
num_workers = 0  # frames are read in the main process: sized for two CPU cores

# Clips of PoseTrack's form: 2δ + 1 frames around every person, cropped by the key frame's box enlarged by 25 %.
dataset_type = 'PoseTrackClipDataset'
data_root = 'data/posetrack18/'
window_frames = 5
input_size = (192, 256)  # w, h in px
codec = dict(type='UDPHeatmap', input_size=input_size, heatmap_size=(48, 64), sigma=2)

pack = dict(
    type='mmpose.PackPoseInputs',
    meta_keys=('id', 'img_id', 'img_path', 'sample_id', 'key_index', 'frame_offsets', 'ori_shape', 'img_shape',
               'input_size', 'input_center', 'input_scale', 'flip', 'flip_indices', 'raw_ann_info', 'category_id',
               'frame_path', 'dataset_name', 'skeleton'),
)  # fmt: skip
train_pipeline = [
    dict(type='LoadClip'),
    dict(type='mmpose.GetBBoxCenterScale', padding=1.25),
    dict(type='mmpose.RandomFlip', direction='horizontal'),
    dict(type='mmpose.RandomHalfBody'),
    dict(type='mmpose.RandomBBoxTransform', shift_factor=0.0, rotate_factor=45, scale_factor=(0.65, 1.35)),
    dict(type='mmpose.TopdownAffine', input_size=input_size, use_udp=True),
    dict(type='mmpose.GenerateTarget', encoder=codec),
    pack,
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='mmpose.GetBBoxCenterScale', padding=1.25),
    dict(type='mmpose.TopdownAffine', input_size=input_size, use_udp=True),
    pack,
]

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        source=dict(data_root=data_root, ann_file='annotations/posetrack18_train.json', data_prefix=dict(img='')),
        num_frames=window_frames,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type=dataset_type,
        source=dict(data_root=data_root, ann_file='annotations/posetrack18_val.json', data_prefix=dict(img='')),
        num_frames=window_frames,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='PoseTrackAP', gt_folder=data_root + 'annotations/val')
test_evaluator = val_evaluator

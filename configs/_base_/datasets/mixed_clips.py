# Real and rendered video: JHMDB for people as they look, and the synthetic set (synthetic_video.py says how to make it)
# for the top of the head, which JHMDB does not annotate, and for people who occlude each other. Tested on JHMDB.
_base_ = './jhmdb_clips.py'

box_jitter = dict(type='mmpose.RandomBBoxTransform', shift_factor=0.04, rotate_factor=15, scale_factor=(0.88, 1.2))
synthetic_root = 'data/synthetic_video/'
augmentation = [
    dict(type='mmpose.GetBBoxCenterScale', padding=1.25),
    dict(type='mmpose.RandomFlip', direction='horizontal'),
    '${box_jitter}',
    dict(type='mmpose.TopdownAffine', input_size='${input_size}', use_udp=True),
    dict(type='PasteOtherPerson', prob=0.05),
    dict(type='ClipPhotometricDistortion', prob=0.5),
    dict(type='ClipBlur', prob=0.03),
    dict(type='ClipDownscale', prob=0.03),
    dict(type='ClipNoise', prob=0.03),
    dict(type='ClipJpeg', prob=0.05),
    dict(type='RandomBorderTruncation', prob=0.05),
    dict(type='mmpose.GenerateTarget', encoder='${codec}'),
    '${pack}',
]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='WeightedConcatDataset',
        weights=[15, 1],
        items_per_epoch=1024,
        datasets=[
            dict(
                type='JhmdbClipDataset',
                source=dict(data_root='${data_root}', ann_file='${train_ann_file}', data_prefix=dict(img='')),
                part='train',
                num_frames='${num_frames}',
                pipeline=['${load}', '${joints}', *augmentation],
            ),
            dict(
                type='PoseTrackClipDataset',
                source=dict(
                    data_root='${synthetic_root}',
                    ann_file='annotations/posetrack18_train.json',
                    data_prefix=dict(img=''),
                ),
                num_frames='${num_frames}',
                pipeline=['${load}', *augmentation],
                seed=1,
            ),
        ],
    )
)

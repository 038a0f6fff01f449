# DiffPose on real and rendered video: JHMDB for people as they look, and the synthetic set for the top of the head and
# for people who hide each other. Boxes are jittered as those of detectors are.
_base_ = './diffpose_movenet-lightning_jhmdb-128x96.py'

crops = [
    dict(type='mmpose.GetBBoxCenterScale', padding=1.25),
    dict(type='mmpose.RandomFlip', direction='horizontal'),
    dict(type='mmpose.RandomHalfBody', prob=0.2),
    dict(type='mmpose.RandomBBoxTransform', shift_factor=0.12, rotate_factor=40, scale_factor=(0.65, 1.5)),
    dict(type='mmpose.TopdownAffine', input_size='${input_size}', use_udp=True),
]
quality = [
    dict(type='ClipPhotometricDistortion'),
    dict(type='ClipBlur'),
    dict(type='ClipDownscale'),
    dict(type='ClipNoise'),
    dict(type='ClipJpeg'),
    dict(type='RandomBorderTruncation'),
    dict(type='mmpose.GenerateTarget', encoder='${codec}'),
    '${pack}',
]
people = dict(type='PasteOtherPerson')
synthetic_root = 'data/synthetic_video/'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='WeightedConcatDataset',
        weights=[3, 1],
        items_per_epoch=1024,
        datasets=[
            dict(
                type='JhmdbClipDataset',
                source=dict(data_root='${data_root}', ann_file='${train_ann_file}', data_prefix=dict(img='')),
                num_frames='${num_frames}',
                pipeline=['${load}', '${joints}', *crops, people, *quality],
            ),
            dict(
                type='PoseTrackClipDataset',
                source=dict(
                    data_root='${synthetic_root}',
                    ann_file='annotations/posetrack18_train.json',
                    data_prefix=dict(img=''),
                ),
                num_frames='${num_frames}',
                pipeline=['${load}', *crops, people, *quality],
                seed=1,
            ),
        ],
    )
)

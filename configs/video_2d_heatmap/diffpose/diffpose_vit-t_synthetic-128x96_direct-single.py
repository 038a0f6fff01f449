# Table 4, Direct-single: the key frame alone, concatenated with the noisy heatmaps.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

num_frames = 1
model = dict(
    conditioner=dict(
        _delete_=True,
        type='SingleFrameConditioner',
        in_channels=192,
        num_frames='${num_frames}',
        channels='${channels}',
    ),
    denoiser=dict(
        _delete_=True,
        type='ConcatPoseDecoder',
        num_joints=15,
        heatmap_size='${heatmap_size}',
        condition_channels='${channels}',
    ),
)

# Section 4.4, Direct-multi: the spatiotemporal feature, concatenated with the noisy heatmaps.
_base_ = './diffpose_vit-t_synthetic-128x96.py'

model = dict(
    denoiser=dict(
        _delete_=True,
        type='ConcatPoseDecoder',
        num_joints=15,
        heatmap_size='${heatmap_size}',
        condition_channels='${channels}',
    ),
)

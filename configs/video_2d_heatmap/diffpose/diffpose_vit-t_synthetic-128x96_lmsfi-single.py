# Table 4 (a): lookup-based interaction on the key frame alone.
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
)

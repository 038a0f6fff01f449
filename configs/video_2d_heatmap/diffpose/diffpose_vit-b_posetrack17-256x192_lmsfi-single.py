# Table 4 (a): lookup-based interaction on the key frame alone.
_base_ = './diffpose_vit-b_posetrack17-256x192.py'

num_frames = 1
model = dict(
    conditioner=dict(
        _delete_=True,
        type='SingleFrameConditioner',
        in_channels=768,
        num_frames='${num_frames}',
        channels='${channels}',
    ),
)

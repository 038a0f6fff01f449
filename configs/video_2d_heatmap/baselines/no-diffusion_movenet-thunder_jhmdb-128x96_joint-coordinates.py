# Baseline without diffusion: the joints that diffpose_…_joint-coordinates reads from its heatmaps, with the same layers
# on them but without noisy joints.
_base_ = '../diffpose/diffpose_movenet-thunder_jhmdb-128x96.py'

map_channels = 64
keypoint_scale = 2.0  # of half the crop's height; its joints then have a standard deviation of about 1
pack = dict(pack_transformed=True)
model = dict(
    conditioner=dict(type='HeatmapConditioner', map_channels='${map_channels}'),
    denoiser=None,
    noise_scheduler=None,
    sampler=None,
    head=dict(type='KeypointHead', scale='${keypoint_scale}', in_channels='${map_channels}'),
    loss=dict(type='PoseDistanceLoss'),
    test_cfg=dict(_delete_=True),
)

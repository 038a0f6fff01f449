# The state is the joints' coordinates instead of heatmaps; heatmaps are part of the condition.
_base_ = './diffpose_movenet-thunder_jhmdb-128x96.py'

map_channels = 64
keypoint_scale = 2.0  # of half the crop's height; its joints then have a standard deviation of about 1
pack = dict(pack_transformed=True)
model = dict(
    conditioner=dict(type='HeatmapConditioner', map_channels='${map_channels}'),
    denoiser=dict(
        _delete_=True,
        type='KeypointDecoder',
        input_size='${input_size}',
        heatmap_size='${heatmap_size}',
        map_channels='${map_channels}',
        scale='${keypoint_scale}',
    ),
    head=dict(type='KeypointHead', scale='${keypoint_scale}'),
    loss=dict(type='PoseDistanceLoss'),
)

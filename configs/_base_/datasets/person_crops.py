# Crops of people in clips: their size, the codec of their heatmaps, and the first and last step of the pipelines.
input_size = (192, 256)  # w, h in px
codec = dict(
    type='UDPHeatmap',
    input_size='${input_size}',
    heatmap_size='${input_size[0] // 4, input_size[1] // 4}',
    sigma=2,
)

load = dict(type='LoadClip')
pack = dict(
    type='mmpose.PackPoseInputs',
    meta_keys=('id', 'img_id', 'img_path', 'sample_id', 'key_index', 'frame_offsets', 'ori_shape', 'img_shape',
               'input_size', 'input_center', 'input_scale', 'flip', 'flip_indices', 'raw_ann_info', 'category_id',
               'frame_path', 'dataset_name', 'skeleton'),
)  # fmt: skip

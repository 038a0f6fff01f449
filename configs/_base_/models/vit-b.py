# The backbone of MMPose's ViTPose-B, without initial weights. Use: backbone=dict(_base_.vit_b, init_cfg=...)
vit_b = dict(
    type='mmpretrain.VisionTransformer',
    arch='base',
    img_size='${input_size[1], input_size[0]}',
    patch_size=16,
    qkv_bias=True,
    drop_path_rate=0.3,
    with_cls_token=False,
    out_type='featmap',
    patch_cfg=dict(padding=2),
)

# The packaged model: more epochs of diffpose_movenet-thunder_mixed-256x192, with all training clips of JHMDB, so that
# figures of the validation part choose nothing, and with videos that posediff pseudo-label has labelled.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/mixed_clips.py',
    '../../_base_/models/diffpose.py',
    '../../_base_/models/movenet.py',
    '../../_base_/schedules/cosine.py',
]

load_from = 'checkpoints/diffpose_movenet-thunder_mixed-256x192.pth'
box_jitter = dict(shift_factor=0.05, rotate_factor=20, scale_factor=(0.85, 1.25))
pseudo_root = 'data/pseudo/'
jhmdb, rendered = _base_.train_dataloader.dataset.datasets
jhmdb.part = 'all'
pseudo_labelled = dict(
    rendered,
    source=dict(data_root='${pseudo_root}', ann_file='annotations/posetrack18_train.json', data_prefix=dict(img='')),
    seed=2,
)
train_dataloader = dict(batch_size=8, dataset=dict(datasets=[jhmdb, rendered, pseudo_labelled], weights=[13, 2, 1]))
channels = _base_.movenet_channels
movenet_checkpoint = 'checkpoints/movenet-thunder.pth'
movenet_maps = 58  # with the keypoints
model = _base_.movenet
model.backbone.update(variant='thunder', keypoints=True)
model.train_cfg.update(states_per_clip=2)
optim_wrapper = dict(
    _base_.movenet_optimizer,
    type='BFloat16OptimWrapper',
    fused_attention=True,  # faster for 960 tokens
    optimizer=dict(lr=2.5e-4),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.025)}),
)
train_cfg = dict(max_epochs=8)

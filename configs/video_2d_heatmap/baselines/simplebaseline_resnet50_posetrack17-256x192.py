# Annotations: tools/dataset_converters/posetrack17_to_coco.py. Frames are numbered from 1.
_base_ = './simplebaseline_resnet50_posetrack18-256x192.py'

data_root = 'data/posetrack17/'
train_dataloader = dict(
    dataset=dict(source=dict(data_root=data_root, ann_file='annotations/posetrack17_train.json'), frame_base=1)
)
val_dataloader = test_dataloader = dict(
    dataset=dict(source=dict(data_root=data_root, ann_file='annotations/posetrack17_val.json'), frame_base=1)
)
val_evaluator = test_evaluator = dict(gt_folder=data_root + 'annotations/val')

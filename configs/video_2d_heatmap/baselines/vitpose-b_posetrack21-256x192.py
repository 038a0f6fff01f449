_base_ = './vitpose-b_posetrack18-256x192.py'

data_root = 'data/posetrack21/'
train_dataloader = dict(dataset=dict(source=dict(data_root=data_root, ann_file='annotations/posetrack21_train.json')))
val_dataloader = test_dataloader = dict(
    dataset=dict(source=dict(data_root=data_root, ann_file='annotations/posetrack21_val.json'))
)
val_evaluator = test_evaluator = dict(gt_folder=data_root + 'annotations/val', protocol='posetrack21')

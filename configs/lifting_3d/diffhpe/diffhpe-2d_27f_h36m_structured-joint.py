_base_ = './diffhpe-2d_27f_h36m.py'

occlusion = dict(type='KeypointOcclusion', pattern='structured_joint')
train_dataloader = dict(dataset=dict(pipeline=[*_base_.train_pipeline[:-1], occlusion, _base_.train_pipeline[-1]]))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=[occlusion, *_base_.test_pipeline]))

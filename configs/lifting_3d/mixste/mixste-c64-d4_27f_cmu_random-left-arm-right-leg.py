_base_ = './mixste-c64-d4_27f_cmu.py'

occlusion = dict(type='KeypointOcclusion', pattern='random_left_arm_right_leg')
train_dataloader = dict(dataset=dict(pipeline=[*_base_.train_pipeline[:-1], occlusion, _base_.train_pipeline[-1]]))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=[occlusion, *_base_.test_pipeline]))

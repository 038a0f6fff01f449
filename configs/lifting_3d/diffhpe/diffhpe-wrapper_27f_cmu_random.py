_base_ = './diffhpe-wrapper_27f_cmu.py'

occlusion = dict(type='KeypointOcclusion', pattern='random')
train_dataloader = dict(dataset=dict(pipeline=[*_base_.train_pipeline[:-1], occlusion, _base_.train_pipeline[-1]]))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=[occlusion, *_base_.test_pipeline]))
model = dict(conditioner=dict(checkpoint='checkpoints/mixste-c64_27f_cmu_random.pth'))

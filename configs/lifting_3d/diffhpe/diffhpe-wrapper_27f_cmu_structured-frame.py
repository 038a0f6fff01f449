_base_ = './diffhpe-wrapper_27f_cmu.py'

occlusion = [dict(type='KeypointOcclusion', pattern='structured_frame')]
model = dict(conditioner=dict(checkpoint='checkpoints/mixste-c64_27f_cmu_structured-frame.pth'))

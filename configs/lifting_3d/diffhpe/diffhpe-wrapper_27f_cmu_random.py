_base_ = './diffhpe-wrapper_27f_cmu.py'

occlusion = [dict(type='KeypointOcclusion', pattern='random')]
model = dict(conditioner=dict(checkpoint='checkpoints/mixste-c64_27f_cmu_random.pth'))

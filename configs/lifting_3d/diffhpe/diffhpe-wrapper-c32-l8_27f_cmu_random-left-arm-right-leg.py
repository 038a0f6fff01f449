_base_ = './diffhpe-wrapper-c32-l8_27f_cmu.py'

occlusion = [dict(type='KeypointOcclusion', pattern='random_left_arm_right_leg')]
model = dict(conditioner=dict(checkpoint='checkpoints/mixste-c64-d4_27f_cmu_random-left-arm-right-leg.pth'))

_base_ = './diffhpe-wrapper_27f_h36m.py'

occlusion = [dict(type='KeypointOcclusion', pattern='random_left_arm_right_leg')]
model = dict(conditioner=dict(checkpoint='checkpoints/mixste-c64_27f_h36m_random-left-arm-right-leg.pth'))

_base_ = './diffhpe-2d_27f_cmu.py'

occlusion = [dict(type='KeypointOcclusion', pattern='random_left_arm_right_leg')]

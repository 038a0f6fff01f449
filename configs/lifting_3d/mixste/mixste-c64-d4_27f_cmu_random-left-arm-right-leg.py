_base_ = './mixste-c64-d4_27f_cmu.py'

occlusion = [dict(type='KeypointOcclusion', pattern='random_left_arm_right_leg')]

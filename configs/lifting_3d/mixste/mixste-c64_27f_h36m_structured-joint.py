_base_ = './mixste-c64_27f_h36m.py'

occlusion = [dict(type='KeypointOcclusion', pattern='structured_joint')]

_base_ = './mixste-c64_27f_cmu.py'

occlusion = [dict(type='KeypointOcclusion', pattern='all')]

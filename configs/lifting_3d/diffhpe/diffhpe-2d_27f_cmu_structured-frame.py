_base_ = './diffhpe-2d_27f_cmu.py'

occlusion = [dict(type='KeypointOcclusion', pattern='structured_frame')]

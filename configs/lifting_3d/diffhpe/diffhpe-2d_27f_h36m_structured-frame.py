_base_ = './diffhpe-2d_27f_h36m.py'

occlusion = [dict(type='KeypointOcclusion', pattern='structured_frame')]

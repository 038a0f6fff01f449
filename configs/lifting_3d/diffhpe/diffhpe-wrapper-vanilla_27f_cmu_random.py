# Trained under occlusion on the features of a lifter that was trained without (table 4, third column).
_base_ = './diffhpe-wrapper_27f_cmu.py'

occlusion = [dict(type='KeypointOcclusion', pattern='random')]

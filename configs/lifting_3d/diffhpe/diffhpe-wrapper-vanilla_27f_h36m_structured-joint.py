# Trained under occlusion on the features of a lifter that was trained without (table 4, third column).
_base_ = './diffhpe-wrapper_27f_h36m.py'

occlusion = [dict(type='KeypointOcclusion', pattern='structured_joint')]

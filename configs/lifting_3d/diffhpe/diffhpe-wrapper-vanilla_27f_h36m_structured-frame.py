# Trained under occlusion on the features of a lifter that was not (table 4, third column).
_base_ = './diffhpe-wrapper_27f_h36m_structured-frame.py'

model = dict(conditioner=dict(checkpoint='checkpoints/mixste-c64_27f_h36m.pth'))

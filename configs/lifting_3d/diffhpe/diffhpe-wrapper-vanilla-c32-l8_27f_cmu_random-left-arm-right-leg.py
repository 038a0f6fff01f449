# Trained under occlusion on the features of a lifter that was not (table 4, third column).
_base_ = './diffhpe-wrapper-c32-l8_27f_cmu_random-left-arm-right-leg.py'

model = dict(conditioner=dict(checkpoint='checkpoints/mixste-c64-d4_27f_cmu.pth'))

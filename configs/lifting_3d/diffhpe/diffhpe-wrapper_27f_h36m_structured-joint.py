_base_ = './diffhpe-wrapper_27f_h36m.py'

occlusion = [dict(type='KeypointOcclusion', pattern='structured_joint')]
model = dict(conditioner=dict(checkpoint='checkpoints/mixste-c64_27f_h36m_structured-joint.pth'))

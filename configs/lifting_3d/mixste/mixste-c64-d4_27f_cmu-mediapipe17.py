# For keypoints of detectors in images: the joints are where MediaPipe puts them.
_base_ = './mixste-c64-d4_27f_cmu.py'

skeleton = 'mediapipe17'
model = dict(conditioner=dict(lifter=dict(skeleton=skeleton)), head=dict(skeleton=skeleton))
train_dataloader = dict(dataset=dict(skeleton=skeleton))
val_dataloader = test_dataloader = dict(dataset=dict(skeleton=skeleton))

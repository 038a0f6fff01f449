# The key frames of the clips alone, for models of single images.
_base_ = './posetrack_clips.py'

load = dict(type='LoadKeyFrame')
train_pipeline = [load, *_base_.train_pipeline[1:]]
test_pipeline = [load, *_base_.test_pipeline[1:]]

train_dataloader = dict(batch_size=64, dataset=dict(num_frames=1, pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(batch_size=64, dataset=dict(num_frames=1, pipeline=test_pipeline))

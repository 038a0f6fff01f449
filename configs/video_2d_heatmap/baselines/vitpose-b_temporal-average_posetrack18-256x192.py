# The mean heatmaps of ViTPose-B over all frames of a window, with the weights of vitpose-b_posetrack18-256x192.
# A training of this config uses the key frames alone too: it gives the same weights, but reads all frames.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/person_crops.py',
    '../../_base_/datasets/posetrack_clips.py',
    '../../_base_/datasets/posetrack2018.py',
    '../../_base_/models/vitpose-b.py',
    '../../_base_/schedules/diffpose.py',
]

num_frames = 5
model = dict(
    type='posediff.TemporalAverageEstimator',
    data_preprocessor=dict(_delete_=True, type='posediff.ClipPreprocessor'),
)
train_dataloader = dict(batch_size=64)

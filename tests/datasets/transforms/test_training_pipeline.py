"""All transforms of clips in one training pipeline with MMPose's."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip('mmpose')
pytest.importorskip('cv2')

from posediff.datasets.posetrack import PoseTrackClipDataset  # noqa: E402

JOINTS = ('nose', 'head_bottom', 'left_shoulder', 'right_shoulder', 'left_hip', 'right_hip', 'left_knee', 'right_knee')
PIPELINE = [
    {'type': 'LoadClip'},
    {'type': 'ConvertKeypoints', 'to': 'posetrack15', 'joints': dict(zip(JOINTS, JOINTS))},
    {'type': 'mmpose.GetBBoxCenterScale', 'padding': 1.25},
    {'type': 'mmpose.RandomFlip', 'direction': 'horizontal'},
    {'type': 'mmpose.RandomHalfBody', 'min_total_keypoints': 6},
    {'type': 'mmpose.RandomBBoxTransform', 'shift_factor': 0.1, 'rotate_factor': 45, 'scale_factor': (0.65, 1.35)},
    {'type': 'mmpose.TopdownAffine', 'input_size': (24, 32), 'use_udp': True},
    {'type': 'PasteOtherPerson', 'prob': 0.5},
    {'type': 'RandomBorderTruncation', 'prob': 0.5, 'fraction': (0.2, 0.6), 'min_keypoints': 1},
    {'type': 'ClipPhotometricDistortion'},
    {'type': 'ClipBlur', 'prob': 0.5},
    {'type': 'ClipDownscale', 'prob': 0.5},
    {'type': 'ClipNoise', 'prob': 0.5},
    {'type': 'ClipJpeg', 'prob': 0.5},
    {
        'type': 'mmpose.GenerateTarget',
        'encoder': {'type': 'UDPHeatmap', 'input_size': (24, 32), 'heatmap_size': (6, 8)},
    },
    {'type': 'mmpose.PackPoseInputs', 'meta_keys': ('id', 'skeleton', 'flip_indices')},
]


def test_items_have_labels_where_they_have_a_weight_and_are_the_same_every_time(grey_videos):
    source = grey_videos([90, 180], 4)
    first, again = (PoseTrackClipDataset(source, num_frames=5, pipeline=PIPELINE) for _ in range(2))
    counts = set()
    for epoch in range(10):
        for dataset in (first, again):
            dataset.set_epoch(epoch)
        for index in range(len(first)):
            item = first[index]
            assert torch.equal(item['inputs'], again[index]['inputs'])
            assert item['inputs'].shape == (5, 3, 32, 24)
            sample = item['data_samples']
            weights = sample.gt_instance_labels.keypoint_weights[0]
            heatmaps = sample.gt_fields.heatmaps
            assert heatmaps.shape == (15, 8, 6)
            assert torch.equal(heatmaps.flatten(1).sum(1) > 0, weights > 0)
            assert sample.skeleton == 'posetrack15'
            counts.add(int((weights > 0).sum()))
    assert max(counts) == len(JOINTS)
    assert min(counts) < len(JOINTS)

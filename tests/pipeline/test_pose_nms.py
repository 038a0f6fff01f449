"""Non-maximum suppression of 2D poses."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from posediff.pipeline.pose_nms import pose_nms
from posediff.structures.skeletons import COCO17


def test_duplicates_and_low_scores_are_discarded():
    keypoints = np.random.default_rng(0).uniform(0, 100, (1, 17, 2)).astype(np.float32)
    twice = np.concatenate([keypoints, keypoints + 1, keypoints + 300, keypoints + 600])
    scores = np.float32([0.6, 0.8, 0.7, 0.1])[:, None].repeat(17, 1)
    assert pose_nms(twice, scores, COCO17, 0.3, 0.5).tolist() == [1, 2]
    assert pose_nms(twice[:0], scores[:0], COCO17, 0.3, 0.5).tolist() == []
    assert pose_nms(twice, scores, COCO17, 0.0, 1.0).tolist() == [0, 1, 2, 3]


@given(swapped=st.sets(st.sampled_from(range(5, 17))))
def test_a_duplicate_with_swapped_limbs_is_discarded(swapped):
    rng = np.random.default_rng(1)
    keypoints = rng.uniform(0, 100, (1, 17, 2)).astype(np.float32)
    sides = np.array(COCO17.flip_indices)
    joints = [sides[joint] if joint in swapped or sides[joint] in swapped else joint for joint in range(17)]
    twice, scores = np.concatenate([keypoints, keypoints[:, joints] + 1]), np.full((2, 17), 0.8, np.float32)
    assert pose_nms(twice, scores, COCO17, 0.3, 0.5).tolist() == [0]
    assert pose_nms(twice + np.float32([[[0, 0]], [[40, 0]]]), scores, COCO17, 0.3, 0.5).tolist() == [0, 1]


def test_keypoints_at_zero_do_not_make_neighbours_alike():
    """Files have (0, 0) for keypoints that were not seen: the size of the person does not reach to that corner."""
    one = np.random.default_rng(0).uniform([600, 400], [640, 500], (17, 2))
    points, scores = np.stack([one, one + [40, 0]]), np.full((2, 17), 0.9)
    assert pose_nms(points, scores, COCO17, 0.3, 0.5).tolist() == [0, 1]
    points[:, 15:], scores[:, 15:] = 0, 0
    assert pose_nms(points, scores, COCO17, 0.3, 0.5).tolist() == [0, 1]

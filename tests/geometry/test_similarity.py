"""Closed forms of the two similarities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.geometry.similarity import box_iou, box_sizes, object_keypoint_similarity


@pytest.mark.parametrize(
    ('other', 'expected'),
    [
        ((0, 0, 10, 20), 1.0),
        ((5, 0, 15, 20), 1 / 3),
        ((0, 0, 5, 10), 1 / 4),
        ((10, 0, 20, 20), 0.0),
        ((11, 30, 20, 40), 0.0),
        ((-10, -20, 20, 40), 200 / 1800),
    ],
)
def test_intersection_over_union(other, expected):
    box, others = np.array([[0.0, 0, 10, 20]]), np.array([other, other], dtype=float)
    np.testing.assert_allclose(box_iou(box, others), [[expected, expected]], rtol=1e-12)
    np.testing.assert_allclose(box_iou(others, box), [[expected], [expected]], rtol=1e-12)


def test_boxes_without_area_overlap_nothing():
    point = np.array([[1.0, 1, 1, 1]])
    assert box_iou(point, point).tolist() == [[0.0]]
    assert box_iou(np.array([[0.0, 0, 4, 2]]), point).tolist() == [[0.0]]


def test_sizes():
    np.testing.assert_allclose(box_sizes(np.array([[1.0, 2, 5, 11]])), [6.0])


@given(st.integers(0, 1000), st.floats(0, 5))
def test_a_pose_that_is_moved(seed, step):
    """Every keypoint by the same length, in units of its spread."""
    rng = np.random.default_rng(seed)
    pose, spread = rng.uniform(0, 100, (1, 5, 2)), rng.uniform(1, 20, 5)
    angle = rng.uniform(0, 2 * np.pi, 5)
    moved = pose + step * (spread * [np.cos(angle), np.sin(angle)]).T
    seen = np.ones((1, 5), dtype=bool)
    similarity, num_both = object_keypoint_similarity(pose, seen, moved, seen, spread[None])
    assert num_both.item() == 5
    assert similarity.item() == pytest.approx(np.exp(-(step**2) / 2))


def test_only_what_both_have_counts():
    a, b = np.zeros((2, 3, 2)), np.zeros((2, 3, 2))
    b[1, 0] = 1e6
    seen_a = np.array([[True, True, False], [False, False, True]])
    seen_b = np.array([[True, False, False], [True, True, False]])
    for spread in (np.ones((2, 3)), np.ones((2, 2, 3))):
        similarity, num_both = object_keypoint_similarity(a, seen_a, b, seen_b, spread)
        np.testing.assert_allclose(similarity, [[1.0, 0.5], [0.0, 0.0]])
        np.testing.assert_array_equal(num_both, [[1, 2], [0, 0]])


def test_no_keypoints_at_all():
    none = np.zeros((2, 0, 2)), np.zeros((2, 0), dtype=bool)
    for values in object_keypoint_similarity(*none, *none, np.ones((2, 0))):
        np.testing.assert_array_equal(values, np.zeros((2, 2)))

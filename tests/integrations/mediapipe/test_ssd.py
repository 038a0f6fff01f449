"""Anchors, decoding and weighted non-maximum suppression."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from posediff.integrations.mediapipe.ssd import anchor_centers, decode_boxes, weighted_nms


def test_anchors_of_the_detector():
    centers = anchor_centers(224)
    assert centers.shape == (2254, 2)
    layers = np.split(centers, [28 * 28 * 2, 28 * 28 * 2 + 14 * 14 * 2])
    for layer, cells, copies in zip(layers, (28, 14, 7), (2, 2, 6), strict=True):
        cell = np.arange(len(layer)) // copies
        np.testing.assert_allclose(layer[:, 0], (cell % cells + 0.5) / cells)
        np.testing.assert_allclose(layer[:, 1], (cell // cells + 0.5) / cells)


def test_boxes_and_points_are_relative_to_the_anchor():
    raw = np.array([[0.0] * 12, [22.4, -22.4, 44.8, 89.6, *[11.2, 0], *[0, 11.2], *[224, 224], *[-112, 56]]])
    boxes, points = decode_boxes(raw, np.array([[0.25, 0.75], [0.5, 0.5]]), 224)
    np.testing.assert_allclose(boxes, [[0.25, 0.75, 0.25, 0.75], [0.5, 0.2, 0.7, 0.6]])
    np.testing.assert_allclose(points[0], np.tile([0.25, 0.75], (4, 1)))
    np.testing.assert_allclose(points[1], [[0.55, 0.5], [0.5, 0.55], [1.5, 1.5], [0, 0.75]])


def test_overlapping_detections_become_their_mean():
    boxes = np.array([[0, 0, 10, 10], [100, 100, 110, 110], [2, 0, 12, 10]], float)  # the first and last: IoU 2/3
    points = np.array([[[1, 1]], [[105, 105]], [[4, 1]]], float)
    merged, scores, mean_points = weighted_nms(boxes, np.array([0.6, 0.7, 0.9]), points, 0.3)
    np.testing.assert_allclose(merged, [[1.2, 0, 11.2, 10], [100, 100, 110, 110]])
    np.testing.assert_allclose(scores, [0.9, 0.7])
    np.testing.assert_allclose(mean_points, [[[2.8, 1]], [[105, 105]]])


def test_the_best_detection_alone_decides_who_belongs_to_it():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10]], float)  # neighbours: IoU 1/3
    points = np.zeros((3, 1, 2))
    merged, scores, _ = weighted_nms(boxes, np.array([0.9, 0.8, 0.7]), points, 0.3)
    np.testing.assert_allclose(scores, [0.9, 0.7])
    np.testing.assert_allclose(merged[1], boxes[2])
    assert len(weighted_nms(boxes, np.array([0.7, 0.9, 0.8]), points, 0.3)[0]) == 1
    assert len(weighted_nms(boxes, np.array([0.7, 0.9, 0.8]), points, 1 / 3)[0]) == 3  # at the threshold: kept apart


def test_nothing_in_nothing_out():
    boxes, scores, points = weighted_nms(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 4, 2)), 0.3)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)
    assert points.shape == (0, 4, 2)
    decoded = decode_boxes(np.zeros((0, 12)), np.zeros((0, 2)), 224)
    assert [array.shape for array in decoded] == [(0, 4), (0, 4, 2)]


@settings(max_examples=40)
@given(
    corners=hnp.arrays(float, st.tuples(st.integers(1, 12), st.just(4)), elements=st.floats(0, 1)),
    threshold=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_suppression_does_not_depend_on_the_order_and_stays_within_its_input(corners, threshold, seed):
    boxes = np.concatenate([np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])], 1)
    rng = np.random.default_rng(seed)
    scores = rng.permutation(np.linspace(0.5, 1, len(boxes)))
    points = boxes.reshape(-1, 2, 2)
    merged, kept, mean_points = weighted_nms(boxes, scores, points, threshold)
    assert (np.diff(kept) < 0).all()
    assert kept[0] == 1 if len(boxes) > 1 else kept[0] == scores[0]
    assert (merged >= boxes.min(axis=0) - 1e-9).all()
    assert (merged <= boxes.max(axis=0) + 1e-9).all()
    np.testing.assert_allclose(mean_points.reshape(-1, 4), merged)

    shuffled = rng.permutation(len(boxes))
    again = weighted_nms(boxes[shuffled], scores[shuffled], points[shuffled], threshold)
    np.testing.assert_allclose(again[0], merged)
    np.testing.assert_allclose(again[1], kept)

"""PCK against closed forms, properties, and MMPose."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.evaluation.pck import (
    inside_picture,
    joint_percentages,
    mean_percentage,
    normalized_distances,
    pck,
    pooled_percentage,
    reference_lengths,
)

JHMDB = (
    'neck', 'belly', 'head', 'right_shoulder', 'left_shoulder', 'right_hip', 'left_hip', 'right_elbow', 'left_elbow',
    'right_knee', 'left_knee', 'right_wrist', 'left_wrist', 'right_ankle', 'left_ankle',
)  # fmt: skip
NAMES = ('left_shoulder', 'right_hip', 'head_bottom', 'head_top')


def test_lengths():
    keypoints = np.array([[[0, 0], [3, 4], [10, 10], [10, 2]], [[0, 0], [0, 0.5], [5, 5], [6, 5]]])
    annotated = np.array([[1, 1, 1, 1], [1, 1, 1, 0]])
    boxes = np.array([[0, 0, 20, 10], [-5, 2, 5, 42]])
    measured = {
        name: reference_lengths(name, keypoints, annotated, boxes, NAMES).tolist() for name in ('box', 'torso', 'head')
    }
    assert measured == {'box': [20, 40], 'torso': [5, 0], 'head': [8, 0]}


def test_what_is_not_annotated_is_not_read():
    keypoints = np.full((1, 4, 2), math.nan)
    assert reference_lengths('head', keypoints, np.zeros((1, 4)), np.array([[0, 0, 1, 1]]), NAMES).tolist() == [0]


def test_lengths_that_do_not_exist_are_refused():
    keypoints, annotated, boxes = np.zeros((1, 3, 2)), np.ones((1, 3)), np.array([[0, 0, 5, 0]])
    with pytest.raises(ValueError, match=r'box \[0.0, 0.0, 5.0, 0.0\] .* has no area'):
        reference_lengths('box', keypoints, annotated, boxes, NAMES[:3])
    with pytest.raises(ValueError, match='head normalizer needs head_top, which is none of left_shoulder'):
        reference_lengths('head', keypoints, annotated, boxes, NAMES[:3])
    with pytest.raises(ValueError, match="normalizer 'foot' is none of box, torso, head"):
        reference_lengths('foot', keypoints, annotated, boxes, NAMES)


def test_the_picture_ends_at_its_last_pixel():
    keypoints = np.array([[0, 0], [19.9, 9.9], [20, 5], [5, 10], [-0.1, 5], [5, -0.1]])
    assert inside_picture(keypoints, (10, 20)).tolist() == [True, True, False, False, False, False]


def test_counts_and_percentages():
    """Distances of 3, 4 and 5 px at a length of 20: 0.15, 0.2 and 0.25."""
    true = np.zeros((2, 3, 2))
    predicted = np.array([[[3, 0], [0, 4], [3, 4]], [[0, 0], [0, 0], [3, 4]]])
    distances = normalized_distances(predicted, true, np.array([20, 10]))
    np.testing.assert_allclose(distances, [[0.15, 0.2, 0.25], [0, 0, 0.5]])
    counted = np.array([[1, 1, 0], [1, 0, 0]])
    hits, totals = pck(distances, counted, (0.2, 0.1))
    assert hits.tolist() == [[2, 0, 0], [1, 0, 0]]  # 0.2 is not below 0.2
    assert totals.tolist() == [2, 1, 0]
    assert joint_percentages(hits[1], totals) == [50, 0, None]
    assert mean_percentage(hits[0], totals) == 50
    assert pooled_percentage(hits[0], totals) == pytest.approx(200 / 3)
    assert mean_percentage(hits[0], 0 * totals) is pooled_percentage(hits[0], 0 * totals) is None


@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(1e-3, 1e3),
    shift=st.floats(-1e3, 1e3),
    share=st.floats(0, 1),
)
def test_pck_does_not_depend_on_unit_or_place(seed, scale, shift, share):
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 50, (4, 5, 2))
    predicted, lengths = true + rng.normal(0, 20, true.shape), rng.uniform(10, 200, 4)
    counted = rng.random((4, 5)) < share
    thresholds = np.sort(rng.uniform(0, 1, 3))
    distances = normalized_distances(predicted, true, lengths)
    near = (abs(distances[..., None] - thresholds) < 1e-6).any(-1)  # rounding decides
    counted &= ~near
    hits, totals = pck(distances, counted, thresholds)
    moved = normalized_distances(scale * predicted + shift, scale * true + shift, scale * lengths)
    assert (pck(moved, counted, thresholds)[0] == hits).all()
    assert (hits[0] <= hits[1]).all()
    assert (hits[1] <= hits[2]).all()
    assert (hits[2] <= totals).all()
    lost = np.where(counted, distances, math.nan)
    assert (pck(lost, counted, thresholds)[0] == hits).all()


def test_what_does_not_fit_is_refused():
    keypoints = np.zeros((2, 3, 2))
    with pytest.raises(ValueError, match=r'lengths \(3,\) are not'):
        normalized_distances(keypoints, keypoints, np.ones(3))
    with pytest.raises(ValueError, match='a length is 0 px'):
        normalized_distances(keypoints, keypoints, np.array([1, 0]))
    with pytest.raises(ValueError, match=r'counted \(3,\) are not both \(P, K\)'):
        pck(np.zeros((2, 3)), np.zeros(3), (0.1,))


@pytest.fixture
def jhmdb():
    """Eight people of JHMDB with errors around the thresholds, of whom the last joint is never annotated."""
    rng = np.random.default_rng(0)
    true = rng.uniform(0, 300, (8, 15, 2))
    annotated = rng.random((8, 15)) < 0.8
    annotated[:, 4:6] = True  # of the torso, which MMPose takes for annotated
    annotated[:, 14] = False
    boxes = np.concatenate([true.min(1) - 10, true.max(1) + 10], axis=-1)
    return true + rng.normal(0, 30, true.shape), true, annotated, boxes


@pytest.mark.parametrize('threshold', [0.2, 0.1, 0.05])
@pytest.mark.parametrize('normalizer', ['box', 'torso'])
def test_mmpose_agrees(jhmdb, normalizer, threshold):
    evaluation = pytest.importorskip('mmpose.evaluation', reason='MMPose is not installed')
    predicted, true, annotated, boxes = jhmdb
    lengths = reference_lengths(normalizer, true, annotated, boxes, JHMDB)
    hits, totals = pck(normalized_distances(predicted, true, lengths), annotated, [threshold])
    ours = joint_percentages(hits[0], totals)

    norms = np.stack([lengths, lengths], axis=-1)
    theirs, mean, number = evaluation.keypoint_pck_accuracy(predicted, true, annotated, threshold, norms)
    assert [-1 if value is None else value / 100 for value in ours] == pytest.approx(theirs.tolist())
    assert mean_percentage(hits[0], totals) == pytest.approx(100 * mean)
    assert number == 14

    name = {'box': 'bbox', 'torso': 'torso'}[normalizer]
    for kind in (evaluation.PCKAccuracy, evaluation.JhmdbPCKAccuracy):
        metric = kind(thr=threshold, norm_item=name, prefix='m')
        for index in range(len(true)):
            truth = {'keypoints': true[[index]], 'keypoints_visible': annotated[[index]], 'bboxes': boxes[[index]]}
            metric.process(None, [{'pred_instances': {'keypoints': predicted[[index]]}, 'gt_instances': truth}])
        found = metric.evaluate(len(true))
        label = {'box': 'PCK', 'torso': 'tPCK'}[normalizer]
        assert found[f'm/{label}'] == pytest.approx(mean_percentage(hits[0], totals) / 100)
    elbows = [ours[JHMDB.index(f'{side}_elbow')] for side in ('left', 'right')]
    assert found[f'm/Elb {label}'] == pytest.approx(np.mean(elbows) / 100)

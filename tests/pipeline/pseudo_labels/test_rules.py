"""Checks of predicted keypoints: in closed form on straight and on disturbed tracks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.pipeline.pseudo_labels.neighbours import distances_to_neighbours
from posediff.pipeline.pseudo_labels.rules import LabelRules, PersonTrack, Verdict, check_keypoints

IMAGE = (400, 600)
RULES = LabelRules(reach=2, min_joints=1)


def straight(frames: int = 9, speed: float = 0.0) -> PersonTrack:
    """A person of four joints, 100 px high, who moves ``speed`` px a frame to the right."""
    joints = np.array([[200.0, 100], [210, 130], [190, 160], [205, 200]])
    keypoints = joints + speed * np.arange(frames)[:, None, None] * [1, 0]
    return PersonTrack(np.arange(frames), keypoints, np.full((frames, 4), 0.9), keypoints.copy())


def changed(track: PersonTrack, **values: np.ndarray) -> PersonTrack:
    return PersonTrack(**{**vars(track), **values})


@given(
    speed=st.tuples(*[st.floats(-50, 50)] * 2),
    frames=st.lists(st.integers(0, 30), min_size=3, max_size=12, unique=True).map(sorted),
    reach=st.integers(1, 3),
)
def test_uniform_motion_is_predicted_between_neighbours(speed, frames, reach):
    frames = np.array(frames)
    keypoints = 100 + frames[:, None, None] * np.array(speed)
    found = distances_to_neighbours(frames, keypoints, np.ones((len(frames), 1), bool), reach)
    near = [frames[(frames != frame) & (abs(frames - frame) <= reach)] - frame for frame in frames]
    for distance, offsets in zip(found[:, 0], near, strict=True):
        if len(offsets) < 2:
            assert distance == np.inf
        elif offsets.min() < 0 < offsets.max():
            assert distance == pytest.approx(0, abs=1e-6)
        else:
            assert distance == pytest.approx(np.linalg.norm(speed) * abs(np.median(offsets)), abs=1e-6)


@given(
    at=st.integers(2, 8),
    offset=st.tuples(*[st.floats(-200, 200)] * 2),
    joint=st.integers(0, 2),
    reach=st.integers(2, 3),
)
def test_one_wrong_frame_disturbs_itself_only(at, offset, joint, reach):
    keypoints = np.tile(np.arange(3.0)[:, None] * [10, 20], (11, 1, 1))
    keypoints[at, joint] += offset
    found = distances_to_neighbours(np.arange(11), keypoints, np.ones((11, 3), bool), reach)
    expected = np.zeros((11, 3))
    expected[at, joint] = np.linalg.norm(offset)
    inner = slice(reach, 11 - reach)  # at the ends of the track the median may be of two neighbours
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-9)


@given(scale=st.floats(0.1, 10), shift=st.tuples(*[st.floats(-100, 100)] * 2), seed=st.integers(0, 99))
def test_distances_move_and_grow_with_the_image(scale, shift, seed):
    rng = np.random.default_rng(seed)
    keypoints, trusted = rng.uniform(0, 100, (7, 2, 2)), rng.uniform(size=(7, 2)) < 0.8
    found = distances_to_neighbours(np.arange(7), keypoints, trusted, 2)
    moved = distances_to_neighbours(np.arange(7), scale * keypoints + shift, trusted, 2)
    np.testing.assert_allclose(moved, scale * found, rtol=1e-6)


def test_keypoints_that_are_not_trusted_are_no_neighbours():
    keypoints = np.zeros((5, 1, 2))
    keypoints[1:4:2] = 70
    trusted = np.ones((5, 1), bool)
    trusted[1:4:2] = False
    found = distances_to_neighbours(np.arange(5), keypoints, trusted, 2)
    assert found[2, 0] == 0
    assert np.isinf(found[[0, 4], 0]).all()
    assert found[1, 0] == pytest.approx(70 * 2**0.5)


def test_a_steady_person_is_kept():
    assert (check_keypoints(straight(speed=3), RULES, IMAGE) == Verdict.KEPT).all()


@pytest.mark.parametrize(
    ('verdict', 'field', 'value'),
    [
        (Verdict.LOW_SCORE, 'scores', 0.29),
        (Verdict.MIRROR, 'mirrored', [196.0, 160]),
        (Verdict.TIME, 'both', [190.0, 166]),
        (Verdict.OUTSIDE, 'both', [190.0, -1]),
    ],
)
def test_each_check_decides_on_its_own_keypoint(verdict, field, value):
    """The person is 100 px high, so 6 px are more than 5 %."""
    track = straight()
    values = {name: getattr(track, name).copy() for name in ('scores', 'mirrored', 'keypoints')}
    for name in ('mirrored', 'keypoints') if field == 'both' else (field,):
        values[name][4, 2] = value
    verdicts = check_keypoints(changed(track, **values), RULES, IMAGE)
    assert verdicts[4, 2] == verdict
    verdicts[4, 2] = Verdict.KEPT
    assert (verdicts == Verdict.KEPT).all()


def test_distances_below_the_limits_are_kept():
    track = straight()
    track.keypoints[4, 2] += [4, 0]
    assert (check_keypoints(track, RULES, IMAGE) == Verdict.KEPT).all()


def test_a_person_with_too_few_joints_is_left_out():
    track = straight()
    track.scores[4, :2] = 0
    track.scores[5, 0] = 0
    verdicts = check_keypoints(track, LabelRules(min_joints=3), IMAGE)
    assert verdicts[4].tolist() == [Verdict.LOW_SCORE] * 2 + [Verdict.LEFT_OUT] * 2
    assert verdicts[5].tolist() == [Verdict.LOW_SCORE] + [Verdict.KEPT] * 3


def test_a_person_without_any_score_is_not_kept():
    track = straight()
    verdicts = check_keypoints(changed(track, scores=np.zeros((9, 4))), RULES, IMAGE)
    assert (verdicts == Verdict.LOW_SCORE).all()


@pytest.mark.parametrize(
    'wrong', [{'min_score': 1.1}, {'max_time_distance': -1}, {'max_mirror_distance': float('nan')}, {'reach': 0}]
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LabelRules(**wrong)

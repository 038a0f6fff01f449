"""Differences between the joints of two estimators."""

import numpy as np
import pytest

from posediff.evaluation.joint_offsets import FITTED_JOINTS, agreeing, body_vectors, combine, fit_offset, torso_lengths
from posediff.structures.skeletons import COCO17, POSETRACK15


def poses(number=60, seed=0):
    """(N, 15, 2) px, no two alike."""
    return np.random.default_rng(seed).uniform(0, 200, (number, 15, 2))


def fit(joints, difference, joint='hip', videos=None):
    vectors = {
        name: combine(joints, POSETRACK15.joint_names, weights)
        for name, weights in body_vectors(joint, 'left', POSETRACK15).items()
    }
    sizes = torso_lengths(joints, POSETRACK15)
    return fit_offset(joint, difference, vectors, sizes, np.arange(len(joints)) if videos is None else videos)


@pytest.mark.parametrize('joint', FITTED_JOINTS)
@pytest.mark.parametrize('skeleton', [COCO17, POSETRACK15], ids=lambda one: one.name)
def test_vectors_do_not_move_with_the_picture_and_are_mirrored(joint, skeleton):
    left, right = (body_vectors(joint, side, skeleton) for side in ('left', 'right'))
    names = skeleton.joint_names
    for name, weights in left.items():
        assert sum(weights.values()) == pytest.approx(0)
        mirrored = {names[skeleton.flip_indices[names.index(one)]]: weight for one, weight in right[name].items()}
        assert mirrored == weights


def test_a_sum_of_vectors_is_found_in_spite_of_wrong_poses():
    joints = poses()
    vectors = body_vectors('hip', 'left', POSETRACK15)
    true = {'outward': 0.1, 'up the trunk': -0.05, 'thigh': 0.02}
    difference = sum(factor * combine(joints, POSETRACK15.joint_names, vectors[name]) for name, factor in true.items())
    difference[::10] += 400  # six of sixty
    found = fit(joints, difference)
    assert found.count == 60
    assert found.factors == pytest.approx(true, abs=0.02)
    assert found.fitted_distance < 0.2 * found.distance
    assert found.offsets['outward'] > 0
    assert found.offsets['up the trunk'] < 0


def test_unknown_joints_do_not_count_and_one_video_is_too_few():
    joints = poses()
    difference = np.full((60, 2), 3.0)
    difference[7] = np.nan
    assert fit(joints, difference).count == 59
    with pytest.raises(ValueError, match='wrist: found by both estimators in 1 videos'):
        fit(joints, difference, 'wrist', np.zeros(60))


def test_poses_of_different_people_are_left_out():
    difference = np.full((4, 5, 2), 1.0)
    difference[1] = 90
    difference[2, :3] = 90  # most of the joints
    difference[3] = np.nan
    assert agreeing(difference, np.full(4, 100.0)).tolist() == [True, False, False, False]
    assert not agreeing(difference, np.full(4, 3.0)).any()

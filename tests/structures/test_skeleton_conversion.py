"""Conversions between skeletons."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.structures.skeleton_conversion import convert_joints, get_conversion
from posediff.structures.skeletons import SKELETONS, get_skeleton

KNOWN = [
    ('mediapipe33', 'coco17'),
    ('mediapipe33', 'h36m17'),
    ('mediapipe33', 'cmu17'),
    ('coco17', 'h36m17'),
    ('coco17', 'cmu17'),
    ('h36m17', 'cmu17'),
    ('halpe26', 'coco17'),
    ('halpe26', 'h36m17'),
    ('halpe26', 'cmu17'),
    ('posetrack15', 'h36m17'),
    ('posetrack15', 'cmu17'),
    ('coco17', 'mediapipe17'),
    ('mediapipe33', 'mediapipe17'),
    ('cmu17', 'mediapipe17'),
    ('mediapipe17', 'cmu17'),
    ('posetrack15', 'mediapipe17'),
    ('halpe26', 'mediapipe17'),
    ('h36m17', 'mediapipe17'),
    *product(('body25', 'body25b', 'openpose18'), ('coco17', 'h36m17', 'cmu17', 'mediapipe17')),
    *product(('mpi15',), ('h36m17', 'cmu17', 'mediapipe17')),
]


def random_joints(name, *leading, seed=0):
    return np.random.default_rng(seed).uniform(0, 1000, (*leading, get_skeleton(name).num_joints, 2))


def joint(joints, skeleton, name):
    return joints[..., get_skeleton(skeleton).joint_names.index(name), :]


@pytest.mark.parametrize(('source', 'target'), KNOWN)
def test_conversion_moves_and_scales_with_the_image(source, target):
    """Weights sum to one, so shifting or scaling all joints does the same to the result."""
    joints = random_joints(source, 4)
    converted, _, conversion = convert_joints(joints, source, target)
    moved, _, _ = convert_joints(3 * joints + 50, source, target)
    np.testing.assert_allclose(moved, 3 * converted + 50)
    np.testing.assert_allclose(conversion.weights.sum(1), 1)
    assert converted.shape == (4, get_skeleton(target).num_joints, 2)


@pytest.mark.parametrize(('source', 'target'), KNOWN)
def test_conversion_commutes_with_mirroring(source, target):
    joints = random_joints(source)
    first, second = get_skeleton(source), get_skeleton(target)
    mirrored = joints[list(first.flip_indices)] * np.array([-1, 1])
    expected = convert_joints(joints, source, target)[0][list(second.flip_indices)] * np.array([-1, 1])
    np.testing.assert_allclose(convert_joints(mirrored, source, target)[0], expected)


def test_mediapipe_to_h36m_by_hand():
    joints = random_joints('mediapipe33', 2)
    converted, scores, conversion = convert_joints(joints, 'mediapipe33', 'h36m17')
    hips = (joint(joints, 'mediapipe33', 'left_hip') + joint(joints, 'mediapipe33', 'right_hip')) / 2
    shoulders = (joint(joints, 'mediapipe33', 'left_shoulder') + joint(joints, 'mediapipe33', 'right_shoulder')) / 2
    np.testing.assert_allclose(joint(converted, 'h36m17', 'root'), hips)
    np.testing.assert_allclose(joint(converted, 'h36m17', 'thorax'), shoulders)
    np.testing.assert_allclose(joint(converted, 'h36m17', 'spine'), (hips + shoulders) / 2)
    np.testing.assert_allclose(joint(converted, 'h36m17', 'left_foot'), joint(joints, 'mediapipe33', 'left_ankle'))
    np.testing.assert_allclose(joint(converted, 'h36m17', 'right_wrist'), joint(joints, 'mediapipe33', 'right_wrist'))
    assert conversion.path == ('mediapipe33', 'coco17', 'h36m17')
    assert conversion.approximated == ('root', 'spine', 'thorax', 'head')
    assert 'left_heel' in conversion.dropped
    assert (scores == 1).all()


def test_cmu_root_lies_above_the_hips():
    """The reason why cmu17 has a name of its own: see the rule."""
    joints = random_joints('coco17', 1)
    h36m, cmu = (convert_joints(joints, 'coco17', target)[0] for target in ('h36m17', 'cmu17'))
    hips, shoulders = joint(h36m, 'h36m17', 'root'), joint(h36m, 'h36m17', 'thorax')
    np.testing.assert_allclose(joint(cmu, 'cmu17', 'root'), 0.815 * hips + 0.185 * shoulders)
    np.testing.assert_allclose(joint(cmu, 'cmu17', 'left_knee'), joint(h36m, 'h36m17', 'left_knee'))


@given(st.integers(0, 16), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_a_missing_joint_spoils_exactly_what_it_contributes_to(missing, seed):
    joints = random_joints('coco17', 3, seed=seed)
    scores = np.random.default_rng(seed).uniform(0.1, 1, (3, 17))
    clean, clean_scores, conversion = convert_joints(joints, 'coco17', 'h36m17', scores)
    joints[1, missing] = (np.nan, 5.0)
    converted, converted_scores, _ = convert_joints(joints, 'coco17', 'h36m17', scores)
    spoilt = conversion.weights[:, missing] != 0
    assert np.isnan(converted[1, spoilt]).all()
    assert (converted_scores[1, spoilt] == 0).all()
    np.testing.assert_array_equal(converted[1, ~spoilt], clean[1, ~spoilt])
    np.testing.assert_array_equal(converted_scores[1, ~spoilt], clean_scores[1, ~spoilt])
    np.testing.assert_array_equal(converted[[0, 2]], clean[[0, 2]])


def test_a_score_is_the_least_of_its_contributors():
    scores = np.full((1, 17), 0.9, np.float32)
    scores[0, get_skeleton('coco17').joint_names.index('right_hip')] = 0.25
    joints = random_joints('coco17', 1).astype(np.float32)
    converted, converted_scores, _ = convert_joints(joints, 'coco17', 'h36m17', scores)
    names = get_skeleton('h36m17').joint_names
    low = {name for name, score in zip(names, converted_scores[0], strict=True) if score < 0.5}
    assert low == {'root', 'right_hip', 'spine'}
    assert converted.dtype == converted_scores.dtype == np.float32


@pytest.mark.parametrize('name', SKELETONS)
def test_converting_to_itself_changes_nothing(name):
    joints = random_joints(name, 2)
    np.testing.assert_array_equal(convert_joints(joints, name, name)[0], joints)


def test_every_other_pair_is_refused_with_what_there_is():
    for source, target in product(SKELETONS, SKELETONS):
        if source != target and (source, target) not in KNOWN:
            with pytest.raises(ValueError, match=f"no conversion from skeleton '{source}' to '{target}'"):
                get_conversion(source, target)
    with pytest.raises(KeyError, match='smpl'):
        get_conversion('smpl', 'h36m17')


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"'coco17' must be .*17, D.*\(5, 33, 2\)"):
        convert_joints(np.zeros((5, 33, 2)), 'coco17', 'h36m17')
    with pytest.raises(ValueError, match='scores must be'):
        convert_joints(np.zeros((5, 17, 2)), 'coco17', 'h36m17', np.zeros((5, 16)))


def test_cmu_limbs_in_the_proportions_of_mediapipe():
    """Extrapolated along the bones: further apart hips, longer forearms, and nothing else but the line of the torso."""
    joints = np.random.default_rng(0).uniform(0, 1000, (5, 17, 3))
    converted, _, conversion = convert_joints(joints, 'cmu17', 'mediapipe17')

    def bone(points, end, start):
        return joint(points, 'cmu17', end) - joint(points, 'cmu17', start)

    np.testing.assert_allclose(
        bone(converted, 'left_hip', 'right_hip'), 1.28 * bone(joints, 'left_hip', 'right_hip'), atol=1e-9
    )
    for side in ('left', 'right'):
        forearm = f'{side}_wrist', f'{side}_elbow'
        np.testing.assert_allclose(bone(converted, *forearm), 1.35 * bone(joints, *forearm))
    hips = (joint(joints, 'cmu17', 'left_hip') + joint(joints, 'cmu17', 'right_hip')) / 2
    np.testing.assert_allclose(joint(converted, 'mediapipe17', 'root'), hips)
    assert {'left_shoulder', 'right_elbow', 'left_foot', 'head', 'neck_base'} <= set(conversion.copied)
    # straight from keypoints, wherever there is such a way, and not by way of motion capture
    assert get_conversion('mediapipe33', 'mediapipe17').path == ('mediapipe33', 'coco17', 'mediapipe17')
    assert get_conversion('h36m17', 'mediapipe17').path == ('h36m17', 'mediapipe17')


def test_posetrack_joints_at_the_positions_of_mediapipe():
    """As measured: a person of 100 by 200 px, upright, whose face is 30 px above the shoulders."""
    places = {
        'nose': (0, -30), 'head_bottom': (0, -12), 'head_top': (900, 900), 'left_shoulder': (20, 0),
        'right_shoulder': (-20, 0), 'left_hip': (12, 50), 'right_hip': (-12, 50), 'left_knee': (12, 90),
    }  # fmt: skip
    joints = np.zeros((15, 2))
    for name, place in places.items():
        joints[get_skeleton('posetrack15').joint_names.index(name)] = place
    converted, _, conversion = convert_joints(joints, 'posetrack15', 'mediapipe17')
    expected = {
        'left_hip': (12, 48), 'right_hip': (-12, 48), 'root': (0, 48), 'spine': (0, 24), 'thorax': (0, 0),
        'left_shoulder': (20, 0), 'left_knee': (12, 90), 'head': (0, -28.5), 'neck_base': (0, -17.4),
    }  # fmt: skip
    for name, place in expected.items():
        np.testing.assert_allclose(joint(converted, 'mediapipe17', name), place, atol=1e-9)
    assert conversion.dropped == ('head_bottom', 'head_top')  # no real video in the training has a label of the top
    hips = [
        joint(convert_joints(joints, 'posetrack15', 'cmu17')[0], 'cmu17', f'{side}_hip') for side in ('left', 'right')
    ]
    np.testing.assert_allclose(hips, [(12, 50), (-12, 50)])

"""The estimate of up against motions whose up is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.export import estimate_up
from posediff.geometry.up_axis import y_up_rotation
from posediff.structures.skeletons import CMU17, get_skeleton

LEVEL_UP = np.array([0.0, -1.0, 0.0])


def degrees(first, second):
    return np.degrees(np.arccos(np.clip(first @ second, -1, 1)))


def tilted(joints, roll, pitch):
    """Joints and up as a camera sees them that is turned about its line of sight and then downwards."""
    turn = Rotation.from_euler('zx', [roll, pitch], degrees=True).as_matrix()
    return joints @ turn.T, turn @ LEVEL_UP


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 1e-3))
def test_the_rotation_to_file_axes_puts_up_up(vector):
    up = np.array(vector) / np.linalg.norm(vector)
    rotation = y_up_rotation(up)
    np.testing.assert_allclose(rotation @ up, [0, 1, 0], atol=1e-7)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_a_camera_on_its_side_or_upside_down_still_looks_along_minus_z():
    for up in ([1.0, 0, 0], [-1.0, 0, 0], [0, 1.0, 0]):
        np.testing.assert_allclose(y_up_rotation(np.array(up)) @ [0, 0, 1], [0, 0, -1], atol=1e-12)


@pytest.mark.parametrize(('roll', 'pitch'), [(0, 0), (12, 0), (0, 35), (-20, 25)])
@pytest.mark.parametrize('absolute', [True, False])
def test_somebody_upright_shows_up(camera_walk, roll, pitch, absolute):
    joints, up = tilted(camera_walk, roll, pitch)
    found = estimate_up(joints if absolute else joints - joints[:, :1], CMU17)
    assert found.source == 'estimated'
    assert degrees(found.up, up) < 1.0


def leaning(camera_walk, frames):
    """(F, 17, 3) standing still, all but the feet leaning by 12 degrees towards the camera."""
    still = camera_walk[:1].repeat(frames, 0)
    feet = still[:, [3, 6]].mean(1, keepdims=True)
    joints = (still - feet) @ Rotation.from_euler('x', 12, degrees=True).as_matrix().T + feet
    joints[:, [3, 6]] = still[:, [3, 6]]
    return joints


@pytest.mark.parametrize('paths', [1, 2])
def test_walked_ground_corrects_a_person_who_leans(camera_walk, paths):
    """Towards the camera; or there and then to the side."""
    steps = np.linspace(0, 2500, 60)
    path = np.zeros((120, 1, 3))
    path[:60, 0, 2], path[60:, 0, 2] = -steps, -2500
    path[60:, 0, 0] = steps if paths == 2 else 0
    joints = leaning(camera_walk, 120)
    standing_still = estimate_up(joints, CMU17)
    walking = estimate_up(joints + path, CMU17)
    assert degrees(standing_still.up, LEVEL_UP) > 8
    assert 'do not move far enough' in standing_still.note
    assert degrees(walking.up, LEVEL_UP) < 1.0
    assert f'along {paths} direction' in walking.note


def test_a_jump_at_the_end_of_the_way_does_not_tilt_the_ground(camera_walk):
    joints = leaning(camera_walk, 100) + np.linspace(0, 3000, 100)[:, None, None] * [0.0, 0.0, -1.0]
    joints[88:] += [0.0, -400.0, 0.0]
    assert degrees(estimate_up(joints, CMU17).up, LEVEL_UP) < 1.0


def test_stairs_are_not_taken_for_a_level_ground(camera_walk):
    joints = camera_walk[:1].repeat(100, 0) + np.linspace(0, 3000, 100)[:, None, None] * [0.0, -0.6, -1.0]
    found = estimate_up(joints, CMU17)
    assert degrees(found.up, LEVEL_UP) < 1.0
    assert 'not used' in found.note


def turned(joints, *angles):
    return joints @ Rotation.from_euler('zx', angles, degrees=True).as_matrix().T


@pytest.mark.parametrize(
    ('make', 'reason'),
    [
        (lambda joints: turned(joints, 90, 0), "90 degrees from the image's up"),
        (lambda joints: joints[:9], 'stands in 9 frames, 10 are needed'),
        (lambda joints: np.where(np.arange(60)[:, None, None] > 4, np.nan, joints), 'stands in 5 frames'),
        (lambda joints: np.concatenate([turned(joints, -25, 0), turned(joints, 25, 0)]), 'turns too much'),
    ],
    ids=['lying', 'too short', 'mostly gaps', 'swaying'],
)
def test_it_says_when_it_cannot(camera_walk, make, reason):
    relative = camera_walk - camera_walk[:, :1]
    found = estimate_up(make(relative), CMU17)
    assert found.source == 'assumed'
    assert reason in found.note
    np.testing.assert_array_equal(found.up, LEVEL_UP)


def test_somebody_who_sits_does_not_stand(camera_walk):
    joints = camera_walk - camera_walk[:, :1]
    for hip, knee, foot in ((1, 2, 3), (4, 5, 6)):
        shin = joints[:, foot] - joints[:, knee]
        joints[:, knee] = joints[:, hip] + [0.0, 0.0, -400.0]
        joints[:, foot] = joints[:, knee] + shin
    assert 'stands in 0 frames' in estimate_up(joints, CMU17).note


def test_a_skeleton_without_feet_or_head_is_named(camera_walk):
    names = [name.replace('foot', 'shoe').replace('head', 'hat') for name in CMU17.joint_names]
    found = estimate_up(camera_walk, replace(CMU17, name='dressed', joint_names=tuple(names)))
    assert found.source == 'assumed'
    assert "the skeleton 'dressed' lacks foot or ankle, head" in found.note


@pytest.mark.parametrize('name', ['coco17', 'mediapipe33', 'posetrack15'])
def test_detectors_skeletons_have_what_it_takes(name):
    skeleton = get_skeleton(name)
    heights = {'hip': 900, 'knee': 500, 'ankle': 80, 'heel': 40, 'foot': 20, 'shoulder': 1400}
    joints = np.zeros((12, skeleton.num_joints, 3))
    for index, joint in enumerate(skeleton.joint_names):
        part = joint.split('_')[1] if joint.startswith(('left', 'right')) else joint
        side = 150 * (joint.startswith('left') - joint.startswith('right'))
        joints[:, index] = [side, -heights.get(part, 1600), 0]
    found = estimate_up(joints, skeleton)
    assert (found.source, round(degrees(found.up, LEVEL_UP))) == ('estimated', 0)


def test_evenly_spaced_frames_tell_the_same_and_ignored_joints_do_not_count(camera_walk, monkeypatch):
    joints, up = tilted(np.concatenate([camera_walk] * 5), 10, 15)
    spoilt = joints.copy()
    used = np.ones(joints.shape[:2], bool)
    spoilt[::2, 5] += 900
    used[::2, 5] = False
    monkeypatch.setattr('posediff.geometry.up_axis.MAX_FRAMES', 100)
    found = estimate_up(spoilt, CMU17, used)
    assert degrees(found.up, up) < 1.0
    assert found.note.endswith('one frame in 3 was examined') or 'one frame in 3 was examined;' in found.note

"""Motion with the legs of one recording and the upper body of another, and tilted bodies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.datasets import CMUMocapDataset
from posediff.datasets.crossover import crossover
from posediff.datasets.motion_variation import MotionVariation
from posediff.structures.skeletons import get_skeleton

SKELETON = get_skeleton('cmu17')
NAMES = SKELETON.joint_names
LEGS = [index for index, name in enumerate(NAMES) if any(part in name for part in ('hip', 'knee', 'foot', 'ankle'))]
UPPER = [index for index in range(17) if index not in LEGS and index != SKELETON.root]
HIPS = NAMES.index('left_hip'), NAMES.index('right_hip')


def motion(seed: int, frames: int = 6) -> np.ndarray:
    """Random joints with hips 200 mm apart, in a random direction."""
    rng = np.random.default_rng(seed)
    joints = rng.normal(0, 300, (frames, 17, 3))
    yaw = rng.uniform(0, 2 * np.pi, frames)
    half = 100 * np.stack([np.cos(yaw), np.sin(yaw), rng.uniform(-0.3, 0.3, frames)], -1)
    joints[:, HIPS[0]], joints[:, HIPS[1]] = joints[:, SKELETON.root] + half, joints[:, SKELETON.root] - half
    return joints


def turned(joints: np.ndarray, angle: float) -> np.ndarray:
    return joints @ Rotation.from_rotvec([0, 0, angle]).as_matrix().T


@given(seed=st.integers(0, 2**31), angle=st.floats(-3, 3), shift=st.floats(-1000, 1000))
def test_parts_come_from_their_recording_whatever_its_place_and_heading(seed, angle, shift):
    lower, upper = motion(seed), motion(seed + 1)
    mixed = crossover(lower, upper, SKELETON)
    np.testing.assert_allclose(mixed[:, [*LEGS, SKELETON.root]], lower[:, [*LEGS, SKELETON.root]])
    before, after = (one[:, UPPER] - one[:, [SKELETON.root]] for one in (upper, mixed))
    np.testing.assert_allclose(after[..., 2], before[..., 2], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(after, axis=-1), np.linalg.norm(before, axis=-1), rtol=1e-9)
    elsewhere = crossover(lower, turned(upper, angle) + [shift, -shift, 0], SKELETON)
    np.testing.assert_allclose(elsewhere, mixed, atol=1e-6)


def test_of_one_recording_with_itself_nothing_changes():
    joints = motion(3)
    np.testing.assert_allclose(crossover(joints, joints, SKELETON), joints, atol=1e-9)


def test_without_heading_there_is_none():
    lying = motion(4)
    lying[2, HIPS[0]] = lying[2, SKELETON.root] + [0, 0, 100]
    lying[2, HIPS[1]] = lying[2, SKELETON.root] - [0, 0, 100]
    assert crossover(lying, motion(5), SKELETON) is None
    assert crossover(motion(5), lying, SKELETON) is None


@given(seed=st.integers(0, 2**31))
def test_a_tilt_is_one_rotation_about_the_root_in_all_frames(seed):
    joints = motion(seed)
    tilted = MotionVariation(tilt=1.0).turn_over(joints, SKELETON, np.random.default_rng(seed))
    before, after = (one - one[:, [SKELETON.root]] for one in (joints, tilted))
    rotation, rssd = Rotation.align_vectors(after.reshape(-1, 3), before.reshape(-1, 3))
    assert rssd < 1e-3
    assert abs(rotation.as_rotvec()[2]) < 1e-4  # about a horizontal axis
    assert tilted[..., 2].min() == pytest.approx(joints[..., 2].min())
    np.testing.assert_allclose(tilted[:, SKELETON.root, :2], joints[:, SKELETON.root, :2])


def test_without_these_options_nothing_is_drawn():
    rng = np.random.default_rng(0)
    variation, joints = MotionVariation(), motion(6)
    assert not variation.draws_crossover(rng)
    assert variation.turn_over(joints, SKELETON, rng) is joints
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize('name', ['crossover', 'tilt'])
def test_probabilities_are_checked(name):
    with pytest.raises(ValueError, match=name):
        MotionVariation(**{name: 1.2})


def test_windows_of_a_dataset_are_crossed_tilted_and_the_same_again(mocap_folder):
    variation = {'crossover': 1.0, 'tilt': 1.0}
    options = {'keypoint_2d_src': 'gt', 'window_size': 4, 'fps': 25}

    def poses(**more):
        dataset = CMUMocapDataset(str(mocap_folder), **options, **more)
        return [dataset[index]['data_samples'].gt_instances.lifting_target.numpy() for index in range(4)]

    changed = poses(variation=variation)
    for one, again, plain in zip(changed, poses(variation=variation), poses(), strict=True):
        np.testing.assert_array_equal(one, again)
        assert not np.allclose(one, plain)
        knee, hip = NAMES.index('left_knee'), NAMES.index('left_hip')
        thighs = [np.linalg.norm(pose[:, knee] - pose[:, hip], axis=-1) for pose in (one, plain)]
        np.testing.assert_allclose(*thighs, rtol=1e-4)  # the legs are those of the window's own recording


def test_recordings_that_are_too_short_are_left_out(mocap_folder):
    dataset = CMUMocapDataset(str(mocap_folder), keypoint_2d_src='gt', window_size=4, variation={'crossover': 1.0})
    track = dataset.tracks[0]
    track.recordings[:] = [track.joints_world[:2]]
    joints = track.joints_world[:4]
    assert track._with_other_upper_body(joints, np.arange(4), np.random.default_rng(0)) is joints

"""Swings, fits and Euler angles against what they have to satisfy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.geometry.rotations import (
    ContinuousEulerAngles,
    ContinuousSwings,
    euler_angles,
    fitted_rotations,
    swings,
)

seeds = st.integers(0, 2**32 - 1)


def directions(rng, *shape):
    vectors = rng.normal(size=(*shape, 3))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def turns(rotations):
    """Degrees between consecutive frames."""
    return np.degrees(Rotation.from_matrix(np.swapaxes(rotations[:-1], 1, 2) @ rotations[1:]).magnitude())


@given(seeds)
def test_a_swing_turns_the_bone_onto_the_one_seen(seed):
    rng = np.random.default_rng(seed)
    rest, seen = directions(rng), directions(rng, 20)
    rotations = swings(rest, seen)
    np.testing.assert_allclose(rotations @ rest, seen, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(rotations), 1)


@given(seeds)
def test_a_swing_has_no_twist_below_150_degrees(seed):
    rng = np.random.default_rng(seed)
    rest = directions(rng)
    seen = directions(rng, 50)
    seen = seen[seen @ rest > np.cos(np.radians(149))]
    quaternions = Rotation.from_matrix(swings(rest, seen)).as_quat()
    np.testing.assert_allclose(quaternions[:, :3] @ rest, 0, atol=1e-9)


@pytest.mark.parametrize('miss', [0.0, 0.5, 5.0])
def test_a_bone_that_passes_backwards_does_not_flip(miss):
    """Over the direction opposite to rest, in steps of 2 degrees, missing it by so many degrees."""
    rest = np.array([1.0, 0.0, 0.0])
    angles = np.radians(np.arange(100, 261, 2))
    path = np.column_stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)])
    path = Rotation.from_euler('y', miss, degrees=True).apply(path)
    rotations = swings(rest, path)
    assert turns(rotations).max() < 20  # the shortest rotation alone turns by 180 degrees where it passes
    np.testing.assert_allclose(rotations @ rest, path, atol=1e-9)


@given(seeds)
def test_a_rigid_joint_is_found_again(seed):
    rng = np.random.default_rng(seed)
    rest = rng.uniform(50, 300, (3, 1)) * directions(rng, 3)
    rotations = Rotation.random(10, random_state=rng).as_matrix()
    fitted = fitted_rotations(rest, np.einsum('fij,nj->fni', rotations, rest), rotations)
    np.testing.assert_allclose(fitted, rotations, atol=1e-6)


def test_bones_on_one_line_leave_the_rest_to_the_prior():
    rest = np.array([[100.0, 0, 0], [-120.0, 0, 0]])
    turn = Rotation.from_euler('x', [70.0], degrees=True).as_matrix().reshape(1, 3, 3)
    np.testing.assert_allclose(fitted_rotations(rest, rest[None], turn), turn, rtol=0, atol=1e-9, strict=True)


def test_mirrored_bones_give_a_rotation():
    rest = np.eye(3)
    fitted = fitted_rotations(rest, (rest * [1, 1, -1])[None], np.eye(3)[None])
    assert np.linalg.det(fitted[0]) == pytest.approx(1)


@given(seeds)
def test_angles_give_the_rotations_back(seed):
    rotations = Rotation.random(30, random_state=np.random.default_rng(seed)).as_matrix().reshape(10, 3, 3, 3)
    angles = euler_angles(rotations)
    back = Rotation.from_euler('ZXY', angles.reshape(-1, 3), degrees=True).as_matrix()
    np.testing.assert_allclose(back.reshape(rotations.shape), rotations, atol=1e-9)
    assert np.abs(np.diff(angles, axis=0)).max() <= 180 + 1e-9


def test_whole_turns_are_counted():
    heading = np.arange(0, 1000, 7.0)
    rotations = Rotation.from_euler('ZXY', np.column_stack([heading * 0 + 3, heading * 0 - 20, heading]), degrees=True)
    angles = euler_angles(rotations.as_matrix())
    np.testing.assert_allclose(angles[:, 2] - angles[0, 2], heading, atol=1e-9)
    np.testing.assert_allclose(angles[:, :2], [[3, -20]] * len(heading), atol=1e-9)


@pytest.mark.parametrize('sign', [1, -1])
def test_through_the_gimbal_the_angles_run_on(sign):
    """Middle angle from 80 over 90 to 100 degrees: the usual triple of angles flips by 180 there."""
    middle = sign * np.arange(80, 100.5, 1.0)
    given_angles = np.column_stack([np.full_like(middle, 10), middle, np.full_like(middle, 30)])
    angles = euler_angles(Rotation.from_euler('ZXY', given_angles, degrees=True).as_matrix())
    np.testing.assert_allclose(angles, given_angles, atol=1e-5)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_blocks_continue_the_twist_and_the_angles(seed, sizes):
    """A bone that turns about a random axis passes near the direction opposite to its rest pose."""
    rng = np.random.default_rng(seed)
    rest, axis = rng.normal(size=(2, 3))
    rest /= np.linalg.norm(rest)
    axis -= (axis @ rest) * rest * rng.uniform(0.9, 1)
    count = sum(sizes)
    angles = np.cumsum(rng.uniform(0, 60, count))
    seen = Rotation.from_rotvec(np.radians(angles)[:, None] * axis / np.linalg.norm(axis)).apply(rest)
    swing, euler = ContinuousSwings(rest), ContinuousEulerAngles()
    rotations = [swing(block) for block in np.split(seen, np.cumsum(sizes)[:-1])]
    np.testing.assert_allclose(np.concatenate(rotations), swings(rest, seen), atol=1e-9)
    found = np.concatenate([euler(block) for block in rotations])
    np.testing.assert_allclose(found, euler_angles(np.concatenate(rotations)), atol=1e-9)

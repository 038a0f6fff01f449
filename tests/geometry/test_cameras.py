"""Cameras and projection against closed forms."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from posediff.datasets.converters.human36m_cameras import LENSES, POSES, human36m_camera
from posediff.geometry import Camera, project_points, quaternion_to_matrix, solve_root_position, unproject_points

seeds = st.integers(0, 2**32 - 1)


def random_camera(rng: np.random.Generator, distorted: bool = False) -> Camera:
    distortion = np.array([-0.2, 0.25, -0.001, -0.0014, -0.003]) if distorted else None
    return Camera(
        focal=rng.uniform(800, 1600, 2),
        center=rng.uniform(400, 600, 2),
        img_shape=(1002, 1000),
        R=Rotation.random(rng=rng).as_matrix(),
        t=rng.normal(0, 3000, 3),
        distortion=distortion,
    )


def random_pose(rng: np.random.Generator, *batch: int) -> np.ndarray:
    pose = rng.normal(0, 300, (*batch, 17, 3))
    return pose - pose[..., :1, :]


def test_a_point_on_the_optical_axis_hits_the_centre_and_similar_triangles_hold():
    focal, center = np.array([1000.0, 1200.0]), np.array([500.0, 480.0])
    points = np.array([[0.0, 0.0, 4000.0], [400.0, -200.0, 2000.0]])
    expected = np.array([[500.0, 480.0], [500 + 1000 * 0.2, 480 - 1200 * 0.1]])
    np.testing.assert_allclose(project_points(points, focal, center), expected)


def test_distortion_terms_one_by_one():
    """At (x, y) = (0.3, 0.4), r² = 0.25, each coefficient of 1 adds what the formula says."""
    point = np.array([0.3, 0.4, 1.0])
    expected = {
        0: 0.25 * np.array([0.3, 0.4]),
        1: 0.25**2 * np.array([0.3, 0.4]),
        2: 0.4 * np.array([0.3, 0.4]) + [0, 0.25],
        3: 0.3 * np.array([0.3, 0.4]) + [0.25, 0],
        4: 0.25**3 * np.array([0.3, 0.4]),
    }
    for index, change in expected.items():
        projected = project_points(point, np.ones(2), np.zeros(2), np.eye(5)[index])
        np.testing.assert_allclose(projected - point[:2], change, err_msg=f'coefficient {index}')


@given(seeds)
def test_world_and_camera_frames_are_inverse_and_rigid(seed):
    rng = np.random.default_rng(seed)
    camera = random_camera(rng)
    points = rng.normal(0, 2000, (5, 17, 3))
    seen = camera.world_to_camera(points)
    np.testing.assert_allclose(seen @ camera.R + camera.position, points, atol=1e-8)
    np.testing.assert_allclose(camera.world_to_camera(camera.position), 0, atol=1e-8)
    np.testing.assert_allclose(
        np.linalg.norm(np.diff(seen, axis=1), axis=-1), np.linalg.norm(np.diff(points, axis=1), axis=-1)
    )


@given(seeds)
def test_unprojecting_inverts_projection(seed):
    rng = np.random.default_rng(seed)
    camera = random_camera(rng, distorted=True)
    ideal = rng.uniform(-0.4, 0.4, (20, 2))
    pixels = camera.project(np.concatenate([ideal, np.ones((20, 1))], axis=-1))
    found = unproject_points(pixels, camera.focal, camera.center, camera.distortion)
    np.testing.assert_allclose(found, ideal, atol=1e-7)


@settings(deadline=None)
@given(seeds, st.booleans(), st.booleans())
def test_root_position_is_recovered_from_exact_keypoints(seed, distorted, as_tensor):
    rng = np.random.default_rng(seed)
    camera = random_camera(rng, distorted)
    pose = random_pose(rng, 2, 4)
    truth = np.stack(
        [rng.uniform(-500, 500, (2, 4)), rng.uniform(-500, 500, (2, 4)), rng.uniform(3000, 7000, (2, 4))], -1
    )
    keypoints = camera.project(pose + truth[..., None, :])
    given_arrays = (pose, keypoints, camera.focal, camera.center, camera.distortion)
    if as_tensor:
        given_arrays = tuple(None if array is None else torch.from_numpy(array) for array in given_arrays)
    found = solve_root_position(*given_arrays)
    assert isinstance(found, torch.Tensor) == as_tensor
    np.testing.assert_allclose(np.asarray(found), truth, rtol=1e-4, atol=0.05)


def test_root_position_minimises_the_algebraic_error():
    """The closed form equals a generic least-squares solver on noisy, weighted keypoints."""
    rng = np.random.default_rng(0)
    camera = random_camera(rng)
    pose, weights = random_pose(rng), rng.uniform(0, 1, 17)
    keypoints = camera.project(pose + [100, -50, 4000]) + rng.normal(0, 8, (17, 2))
    rays = (keypoints - camera.center) / camera.focal
    rows, values = [], []
    for joint in range(17):
        for axis in range(2):
            row = np.zeros(3)
            row[axis], row[2] = 1, -rays[joint, axis]
            rows.append(row * np.sqrt(weights[joint]))
            values.append((rays[joint, axis] * pose[joint, 2] - pose[joint, axis]) * np.sqrt(weights[joint]))
    expected = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    found = solve_root_position(pose, keypoints, camera.focal, camera.center, weights=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_keypoint_of_weight_zero_does_not_matter():
    rng = np.random.default_rng(1)
    camera, pose = random_camera(rng), random_pose(rng)
    keypoints = camera.project(pose + [0, 0, 5000])
    keypoints[3] = 1e5
    weights = np.ones(17)
    weights[3] = 0
    found = solve_root_position(pose, keypoints, camera.focal, camera.center, weights=weights)
    np.testing.assert_allclose(found, [0, 0, 5000], atol=1e-3)


def test_a_frame_with_one_keypoint_has_no_position():
    weights = np.zeros((2, 17))
    weights[0] = 1
    weights[1, 4] = 1
    with pytest.raises(ValueError, match='1 frames have fewer than two keypoints'):
        solve_root_position(np.zeros((2, 17, 3)), np.zeros((2, 17, 2)), np.ones(2), np.zeros(2), weights=weights)


@given(arrays(np.float64, (3, 4), elements=st.floats(-2, 2)).filter(lambda q: (np.linalg.norm(q, axis=-1) > 0.1).all()))
def test_quaternions_agree_with_scipy(quaternions):
    expected = Rotation.from_quat(quaternions, scalar_first=True).as_matrix()
    np.testing.assert_allclose(quaternion_to_matrix(quaternions), expected, atol=1e-12)


@given(seeds)
def test_a_mirrored_camera_sees_the_mirror_image(seed):
    rng = np.random.default_rng(seed)
    camera = random_camera(rng, distorted=True)
    mirrored = camera.mirrored()
    np.testing.assert_allclose(np.linalg.det(mirrored.R), 1)
    seen = rng.normal(0, 300, (17, 3)) + [0, 0, 4000]
    pixels = camera.project(seen)
    expected = np.stack([camera.img_shape[1] - pixels[:, 0], pixels[:, 1]], axis=-1)
    np.testing.assert_allclose(mirrored.project(seen * [-1, 1, 1]), expected, atol=1e-8)
    world = seen @ camera.R + camera.position
    np.testing.assert_allclose(mirrored.world_to_camera(world * [-1, 1, 1]), seen * [-1, 1, 1], atol=1e-8)


def test_cameras_are_not_copied():
    camera = random_camera(np.random.default_rng(0))
    assert copy.deepcopy({'camera': camera})['camera'] is camera


def test_human36m_cameras_stand_upright_around_the_room():
    for subject in POSES:
        for camera_id in LENSES:
            camera = human36m_camera(subject, camera_id)
            np.testing.assert_allclose(camera.R @ camera.R.T, np.eye(3), atol=1e-6)
            assert 1400 < camera.position[2] < 1700
            assert camera.R[1, 2] < -0.9  # image y points down
            x, y = camera.project(camera.world_to_camera(np.array([0.0, 0.0, 900.0])))
            assert 300 < x < 700
            assert 300 < y < 700
    with pytest.raises(KeyError, match='S2'):
        human36m_camera('S2', '54138969')

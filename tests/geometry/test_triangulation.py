"""Triangulation undoes projection, and leaves out what does not count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.geometry import Camera, project_points
from posediff.geometry.triangulation import triangulate


def ring(count: int, seed: int) -> list[Camera]:
    """Cameras 4 m around the origin that look at it."""
    rng = np.random.default_rng(seed)
    cameras = []
    for number in range(count):
        turn = Rotation.from_euler('yx', [360 * number / count + rng.uniform(0, 20), rng.uniform(-20, 20)], True)
        focal = np.array([900.0, 900.0]) * rng.uniform(0.7, 1.5)
        cameras.append(Camera(focal, np.array([320.0, 240.0]), (480, 640), turn.as_matrix(), np.array([0, 0, 4000.0])))
    return cameras


def views(points: np.ndarray, cameras: list[Camera]) -> np.ndarray:
    return np.stack([project_points(points @ one.R.T + one.t, one.focal, one.center) for one in cameras])


@settings(max_examples=30, deadline=None)
@given(count=st.integers(2, 5), seed=st.integers(0, 10_000))
def test_points_come_back_from_their_projections(count, seed):
    points = np.random.default_rng(seed).uniform(-800, 800, (3, 5, 3))
    cameras = ring(count, seed)
    found, error = triangulate(views(points, cameras), cameras)
    np.testing.assert_allclose(found, points, atol=1e-4)
    assert error.shape == (3, 5)
    assert error.max() < 1e-6


def test_what_has_no_weight_is_not_looked_at():
    points = np.random.default_rng(0).uniform(-500, 500, (4, 3))
    cameras = ring(3, 1)
    seen = views(points, cameras)
    weights = np.ones((3, 4))
    seen[1, 0], weights[1, 0] = np.nan, 0
    seen[0, 1], weights[0, 1] = 9999, 0
    weights[:2, 3] = 0
    found, error = triangulate(seen, cameras, weights)
    np.testing.assert_allclose(found[:3], points[:3], atol=1e-4)
    assert np.isnan(found[3]).all()
    assert np.isnan(error[3])
    assert error[:3].max() < 1e-6


def test_views_that_disagree_are_said_in_pixels():
    point = np.zeros((1, 3))
    cameras = ring(2, 0)
    seen = views(point, cameras)
    seen[0, 0, 1] += 20  # off the epipolar line
    _, error = triangulate(seen, cameras)
    assert 8 < error[0] < 20
    with pytest.raises(ValueError, match='3 views need as many cameras, got 2'):
        triangulate(np.zeros((3, 1, 2)), cameras)

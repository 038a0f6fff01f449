"""From where one sees everybody, and where the floor is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.structures.skeletons import CMU17, Skeleton
from posediff.visualization.scene_layout import FRUSTUM_DEPTH, SceneLayout, Viewpoint, frustum_lines

TOY = Skeleton('toy', ('root', 'left', 'right'), (-1, 0, 0), (1,), (2,))  # says nothing about up
STANDING = np.array([[0.0, -700, 5000], [-200, 900, 5000], [200, 880, 5100]])


@given(
    seed=st.integers(0, 10**6), azimuth=st.floats(-180, 180), elevation=st.floats(-80, 80),
    slope=st.tuples(st.floats(0.1, 2), st.floats(0.1, 2)),
)  # fmt: skip
def test_the_viewpoint_is_the_nearest_that_covers_all_points(seed, azimuth, elevation, slope):
    points = np.random.default_rng(seed).normal(0, [3000, 1000, 5000], (30, 3)) + [0, 0, 4000]
    viewpoint = Viewpoint.covering(points, azimuth, elevation, slope, margin=1.0)
    right, up, depth = np.moveaxis(viewpoint.transform(points), -1, 0)
    used = np.maximum(np.abs(right) / slope[0], np.abs(up) / slope[1]) / depth
    assert (depth > 0).all()
    assert used.max() == pytest.approx(1.0)
    np.testing.assert_allclose(viewpoint.transform(viewpoint.target), [0, 0, viewpoint.distance], atol=1e-6)


def test_the_viewpoint_follows_from_the_angles():
    viewpoint = Viewpoint(np.array([0.0, 0.0, 4000.0]), azimuth=90.0, elevation=0.0, distance=4000.0, slope=(1.0, 1.0))
    # he stands 4 m to the right of the target: the camera is to his left, somebody further right is nearer
    np.testing.assert_allclose(viewpoint.transform(np.zeros(3)), [-4000, 0, 4000], atol=1e-9)
    np.testing.assert_allclose(viewpoint.transform(np.array([1000.0, -500.0, 4000.0])), [0, 500, 3000], atol=1e-9)


def test_the_floor_is_at_the_feet_and_stays_there_through_jumps_and_wrong_poses():
    people = np.tile(STANDING, (300, 1, 1))
    people[:90, :, 1] -= 600  # jumping
    people[90:92, :, 1] += 5000  # far off
    layout = SceneLayout.of(people, TOY)
    assert layout.floor == 900
    assert layout.extremes[:, 1].max() == 900
    x0, x1, z0, z1 = layout.grid
    assert x0 <= -700
    assert x1 >= 700
    assert z0 <= 0  # under the camera
    assert z1 >= 5600
    lines = layout.grid_lines()
    assert len(lines) == (x1 - x0) / layout.spacing + 1 + (z1 - z0) / layout.spacing + 1
    assert (lines[..., 1] == 900).all()


def test_a_wide_scene_has_a_wide_grid_and_no_more_lines():
    apart = np.stack([STANDING, STANDING + [0, 0, 500_000]])
    layout = SceneLayout.of(apart, TOY)
    assert len(layout.grid_lines()) < 80
    assert layout.grid[3] >= 480_000


@pytest.mark.parametrize(('roll', 'pitch'), [(0, 0), (20, 0), (0, 25), (-15, 30)])
def test_a_tilted_camera_is_levelled_by_those_who_stand(camera_walk, roll, pitch):
    """Two people of one size, near and far, seen by a camera that looks down and is held askew: one floor for both."""
    people = np.stack([camera_walk, camera_walk + [1500.0, 0.0, 2500.0]])
    turn = Rotation.from_euler('zx', [roll, pitch], degrees=True).as_matrix()
    layout = SceneLayout.of((people @ turn.T).reshape(-1, 17, 3), CMU17)
    assert layout.up_source == 'estimated'
    feet = (people @ turn.T @ layout.level.T)[..., 1].max(-1)
    assert abs(np.diff(feet.mean(1))[0]) < 60
    np.testing.assert_allclose(feet, layout.floor, atol=120)
    # some moments are levelled as the whole clip is, though they tell too little themselves
    whole = (people @ turn.T).reshape(-1, 17, 3)
    assert SceneLayout.of(whole[:3], CMU17).up_source == 'assumed'
    np.testing.assert_array_equal(SceneLayout.of(whole[:3], CMU17, whole).level, layout.level)


@pytest.mark.parametrize('joints', [np.zeros((0, 17, 3)), np.full((4, 17, 3), np.nan)])
def test_without_people_there_is_a_view_all_the_same(joints):
    layout = SceneLayout.of(joints, TOY)
    assert np.isfinite(layout.extremes).all()
    assert np.isfinite(layout.floor)


def test_poses_without_a_place_count_for_nothing():
    people = np.tile(STANDING, (10, 1, 1))
    lost = np.full((5, 3, 3), np.nan)
    with_lost, without = SceneLayout.of(np.concatenate([people, lost]), TOY), SceneLayout.of(people, TOY)
    np.testing.assert_array_equal(with_lost.extremes, without.extremes)


def test_the_frustum_ends_at_the_corners_of_the_image():
    focal, center, (height, width) = np.array([500.0, 400.0]), np.array([300.0, 200.0]), (480, 640)
    lines = frustum_lines(focal, center, (height, width))
    np.testing.assert_array_equal(lines[:4, 0], 0)
    corners = lines[:4, 1]
    pixels = corners[:, :2] / corners[:, 2:] * focal + center
    np.testing.assert_allclose(pixels, [[0, 0], [width, 0], [width, height], [0, height]], atol=1e-9)
    assert (corners[:, 2] == FRUSTUM_DEPTH).all()
    assert (lines[4:, :, 2] == FRUSTUM_DEPTH).all()

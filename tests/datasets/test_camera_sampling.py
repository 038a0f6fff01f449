"""Random cameras have the motion in view, within the ranges of their preset."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from posediff.datasets.camera_sampling import CAMERA_PRESETS, NEAREST_MM, draw_camera, get_camera_preset

seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=200)
@given(seeds, st.sampled_from(sorted(CAMERA_PRESETS)), st.floats(0, 6000))
@example(2576, 'anywhere', 0.0)  # from above: the camera looks almost straight down
@example(4419, 'anywhere', 0.0)  # even steeper
@example(1578, 'anywhere', 0.0)  # roll would place this one below the floor
def test_the_motion_is_in_the_picture_and_in_front(walker_seed, preset_name, travel):
    preset = CAMERA_PRESETS[preset_name]
    rng = np.random.default_rng(walker_seed)
    direction = np.append(rng.normal(size=2), 0)
    path = np.linspace(0, travel, 40)[:, None, None] * direction / np.linalg.norm(direction)
    person = rng.uniform([-400, -400, 0], [400, 400, 1700], (17, 3))
    points = person + path
    camera = draw_camera(points, 0.0, preset, rng)
    np.testing.assert_allclose(camera.R @ camera.R.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(camera.R) == pytest.approx(1)
    seen = camera.world_to_camera(points)
    assert seen[..., 2].min() > NEAREST_MM * 0.9
    height, width = camera.img_shape
    pixels = camera.project(seen)
    inside = ((pixels >= 0) & (pixels < [width, height])).all(-1)
    assert inside.mean() >= preset.in_frame - 0.01
    # Upright: heads are above feet in the image; the angle follows from roll and perspective.
    middle = points.reshape(-1, 3).mean(0)
    up = np.subtract(*camera.project(camera.world_to_camera(np.stack([middle + [0, 0, 10.0], middle]))))
    assert -up[1] > 0.4 * np.linalg.norm(up)
    assert camera.position[2] >= 0  # on the floor or above
    distance = np.linalg.norm(camera.position - points.reshape(-1, 3).mean(0)) / 1000
    assert distance > preset.distance[0] * 0.99


def test_draws_stay_in_the_ranges_of_the_preset():
    rng = np.random.default_rng(0)
    points = rng.uniform([-300, -300, 0], [300, 300, 1700], (17, 3))
    preset = get_camera_preset('h36m')
    cameras = [draw_camera(points, 0.0, preset, rng) for _ in range(300)]
    height = np.array([camera.position[2] for camera in cameras]) / 1000
    distance = np.array([np.linalg.norm(camera.position - points.mean(0)) for camera in cameras]) / 1000
    focal = np.array([camera.focal[0] * 1000 / max(camera.img_shape) for camera in cameras])
    assert preset.height[0] - 0.02 < height.min()
    assert height.max() < preset.height[1] + 0.02
    assert distance.min() > 4 - 0.1
    assert distance.max() < 6.3
    assert focal.min() > 1135
    assert focal.max() < 1155
    yaw = np.arctan2(*np.array([camera.R[2, :2] for camera in cameras]).T)
    assert np.histogram(yaw, bins=6, range=(-np.pi, np.pi))[0].min() > 25  # from all directions
    wild = [draw_camera(points, 0.0, get_camera_preset('wild'), rng).img_shape for _ in range(50)]
    assert {(1080, 1920), (1920, 1080)} == set(wild)


def test_a_camera_is_decided_by_its_generator():
    points = np.random.default_rng(0).uniform(0, 1700, (27, 17, 3))
    one, same, other = (
        draw_camera(points, 0.0, get_camera_preset('wild'), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.t, same.t)
    assert not np.allclose(one.t, other.t)


def test_an_unknown_preset_is_named():
    with pytest.raises(KeyError, match=r"unknown camera preset 'drone'; known: anywhere, h36m, wild"):
        get_camera_preset('drone')

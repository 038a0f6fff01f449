"""Random proportions of the body and speed of recorded motion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets import CMUMocapDataset
from posediff.datasets.motion_variation import MotionVariation, at_times
from posediff.structures.skeletons import get_skeleton

SKELETON = get_skeleton('cmu17')


def lengths(joints):
    return np.stack(
        [np.linalg.norm(joints[:, child] - joints[:, parent], axis=-1) for child, parent in SKELETON.segments]
    )


@given(seed=st.integers(0, 2**32 - 1), std=st.floats(0.01, 0.3))
def test_bodies_are_symmetric_rigid_and_as_high_above_the_floor(seed, std):
    rng = np.random.default_rng(seed)
    joints = rng.normal(0, 300, (5, 17, 3))
    changed = MotionVariation(segment_std=std).change_body(joints, SKELETON, rng)
    factors = lengths(changed) / lengths(joints)
    np.testing.assert_allclose(factors, factors[:, :1] * np.ones(5), rtol=1e-6)  # the same body in all frames
    number = {name: row for row, name in enumerate(SKELETON.joint_names[child] for child, _ in SKELETON.segments)}
    for name, row in number.items():
        if name.startswith('left_'):
            assert factors[row, 0] == pytest.approx(factors[number['right_' + name[5:]], 0])
    for child, parent in SKELETON.segments:  # the movements are the same
        before, after = (one[:, child] - one[:, parent] for one in (joints, changed))
        np.testing.assert_allclose(np.cross(before, after), 0, atol=1e-6 * (before**2).sum(-1).max())
    assert changed[..., 2].min() == pytest.approx(joints[..., 2].min())
    assert 0 < np.abs(np.log(factors)).max() < 12 * std


@given(
    seed=st.integers(0, 2**32 - 1),
    frames=st.integers(1, 60),
    window=st.integers(1, 40),
    speed=st.sampled_from([(0.5, 0.5), (0.7, 1.5), (2.0, 2.0)]),
)
def test_windows_stay_within_the_recording(seed, frames, window, speed):
    rng = np.random.default_rng(seed)
    start = int(rng.integers(max(frames - window, 0) + 1))
    indices = np.minimum(start + np.arange(window), frames - 1)
    times = MotionVariation(speed=speed).times(indices, frames, rng)
    assert times.shape == (window,)
    assert (np.diff(times) >= 0).all()
    assert 0 <= times[0] <= times[-1] <= frames - 1
    if start + window <= frames and window > 1 and speed[1] * (window - 1) <= frames - 1:
        steps = np.diff(times)
        np.testing.assert_allclose(steps, steps[0], atol=1e-9)
        assert speed[0] - 1e-9 <= steps[0] <= speed[1] + 1e-9


def test_a_foot_on_the_floor_slides_little():
    """A leg with factors for thigh and shank that are equal on average moves over a foot that stays in place."""
    rng = np.random.default_rng(0)
    turn = np.linspace(-0.3, 0.3, 9)
    joints = rng.normal(0, 100, (1, 17, 3)).repeat(9, axis=0)
    foot, knee, hip = (SKELETON.joint_names.index(f'left_{name}') for name in ('foot', 'knee', 'hip'))
    leg = np.stack([np.sin(turn), np.zeros(9), np.cos(turn)], axis=-1) * 400
    joints[:, foot] = 0
    joints[:, knee], joints[:, hip] = leg, 2 * leg
    joints[:, SKELETON.root] = joints[:, hip]
    for seed in range(20):
        changed = MotionVariation(segment_std=0.1).change_body(joints, SKELETON, np.random.default_rng(seed))
        slide = np.ptp(changed[:, foot, :2], axis=0).max()
        assert slide < 1e-6 * np.ptp(joints[:, hip, 0])


def test_interpolation():
    joints = np.arange(5, dtype=np.float32)[:, None, None] * np.ones((1, 17, 3), np.float32)
    np.testing.assert_allclose(at_times(joints, np.array([0, 0.25, 2.5, 4]))[:, 0, 0], [0, 0.25, 2.5, 4])
    np.testing.assert_array_equal(at_times(joints, np.arange(5.0)), joints)
    np.testing.assert_array_equal(at_times(joints[:1], np.zeros(3)), joints[[0, 0, 0]])


def test_a_lower_rate_has_the_same_motion(mocap_folder):
    full, half = (
        CMUMocapDataset(str(mocap_folder), split='val', test_mode=True, window_size=4, fps=fps) for fps in (None, 25)
    )
    assert half.tracks[0].fps == 25
    assert half.tracks[0].num_frames == -(-full.tracks[0].num_frames // 2)
    every, second = (one.tracks[0].frames.keypoints_2d for one in (full, half))
    np.testing.assert_array_equal(second, every[::2])
    item = half[0]['data_samples']
    assert item.fps == 25


def test_training_windows_at_a_lower_rate(mocap_folder):
    options = {'keypoint_2d_src': 'gt', 'window_size': 4}
    dataset = CMUMocapDataset(
        str(mocap_folder), fps=25, variation={'segment_std': 0.1, 'speed': (0.8, 1.25)}, **options
    )
    item = dataset[0]
    truth = item['data_samples'].gt_instances
    projected = item['data_samples'].camera.project((truth.lifting_target + truth.root_position[:, None]).numpy())
    np.testing.assert_allclose(item['inputs']['keypoints_2d'].numpy(), projected, atol=0.05)
    plain = CMUMocapDataset(str(mocap_folder), fps=25, **options)[0]['data_samples'].gt_instances
    assert not np.allclose(lengths(plain.lifting_target.numpy()), lengths(truth.lifting_target.numpy()))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'fps': 30}, 'fps 30 does not divide'),
        ({'fps': -25}, 'fps -25 does not divide'),
        ({'fps': 100}, 'fps 100 does not divide'),
        ({'variation': {'segment_std': -0.1}}, 'segment_std must not be negative, got -0.1'),
        ({'variation': {'speed': (2, 1)}}, r'speed must be an ascending range of positive factors, got \(2, 1\)'),
        ({'variation': {'speed': (0, 1)}}, 'ascending range of positive factors'),
        ({'variation': {'speed': 1.2}}, 'speed must be a range of two factors, got 1.2'),
        ({'variation': {'segment_std': 0.1}, 'test_mode': True}, "variation needs cameras='random'"),
    ],
)
def test_wrong_options(mocap_folder, options, message):
    with pytest.raises(ValueError, match=message):
        CMUMocapDataset(str(mocap_folder), split='val', **options)

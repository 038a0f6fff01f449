"""Poses from the past alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.lifting.causal_track import CausalTrack

WINDOW, JOINTS = 9, 3


def clip(frames: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(frames)
    return rng.normal(size=(frames, JOINTS, 2)).astype(np.float32), rng.random((frames, JOINTS)) > 0.2


def lift(start: int, points: np.ndarray) -> torch.Tensor:
    """Stand-in for a network (T, M=1, K, 3): depends on the whole window."""
    poses = np.concatenate([points.cumsum(0), points.sum(-1, keepdims=True) + start], -1)
    return torch.from_numpy(poses[:, None].astype(np.float32))


@settings(max_examples=80, deadline=None)
@given(
    frames=st.integers(1, 40),
    step=st.sampled_from([1.0, 0.5, 0.6, 1.2, 2.0, 25 / 29.97]),
    seed=st.integers(0, 99),
)
def test_every_wanted_pose_is_of_the_window_that_ends_there(frames: int, step: float, seed: int) -> None:
    points, observed = clip(frames)
    wanted = np.random.default_rng(seed).random(frames) > 0.4
    track = CausalTrack(WINDOW, step)
    handed_out = 0
    for now in range(frames):
        track.push(points[now], observed[now], bool(wanted[now]))
        windows = list(track.due())
        assert len(windows) == wanted[now]
        assert list(track.due()) == []
        for start, places, mask in windows:
            times = np.clip(now - step * np.arange(WINDOW - 1, -1, -1), 0, None)
            expected = np.stack(
                [
                    np.stack([np.interp(times, np.arange(frames), points[:, joint, axis]) for axis in range(2)], -1)
                    for joint in range(JOINTS)
                ],
                1,
            )
            np.testing.assert_allclose(places, expected, atol=1e-5)
            np.testing.assert_array_equal(mask[-1], observed[now])
            track.accept(start, lift(start, places))
            first, poses, used, seen = track.ready()
            assert (first, len(poses)) == (handed_out, 1)
            np.testing.assert_array_equal(poses[0], lift(start, places)[-1])
            np.testing.assert_array_equal(used[0], points[now])
            np.testing.assert_array_equal(seen[0], observed[now])
            handed_out += 1
        assert track.ready() is None
    assert not track.is_empty
    track.end()
    assert track.is_empty
    assert len(track._frames) <= WINDOW * step + 2


def test_a_joint_between_frames_is_observed_if_it_is_in_both() -> None:
    track = CausalTrack(3, 0.5)
    points = np.zeros((1, 2), np.float32)
    for seen in (True, False, True, True):
        track.push(points, np.array([seen]))
    masks = [mask[:, 0].tolist() for _, _, mask in track.due()]
    assert masks == [[True] * 3, [True, False, False], [False, False, True], [True] * 3]


def test_windows_come_back_in_order() -> None:
    track = CausalTrack(3, 1.0)
    for number in range(2):
        track.push(np.full((1, 2), number, np.float32), np.ones(1, bool))
    (first, *_), (second, *_) = track.due()
    with pytest.raises(ValueError, match=f'poses of window {first}, got those of window {second}'):
        track.accept(second, torch.zeros(3, 1, 1, 3))
    assert track.ready() is None

"""Sides that an estimator swapped are put right, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.pipeline.side_swaps import SideSwapRepair
from posediff.structures.frame_poses import FramePoses
from posediff.structures.skeletons import COCO17

FPS, FRAMES = 25.0, 80
FLIP = list(COCO17.flip_indices)
LOWER = [joint for joint, name in enumerate(COCO17.joint_names) if name.endswith(('hip', 'knee', 'ankle'))]
UPPER = [joint for joint in range(1, 17) if joint not in LOWER]


def walk(seed: int) -> np.ndarray:
    """(F, 17, 2) px: a person facing the camera who sways, the sides 60 px apart."""
    rng = np.random.default_rng(seed)
    body = np.zeros((17, 2))
    body[:, 1] = np.linspace(0, 200, 17)
    body[list(COCO17.left), 0], body[list(COCO17.right), 0] = 30, -30
    sway = 20 * np.sin(np.arange(FRAMES) / 6)[:, None, None] * np.array([1, 0.2])
    return (100 + body + sway + rng.normal(0, 2, (FRAMES, 17, 2))).astype(np.float32)


def observe(tracks: dict[int, np.ndarray], absent: range = range(0)) -> list[FramePoses]:
    """Everybody in every frame, but the first track in ``absent``."""
    found = []
    for frame in range(FRAMES):
        ids = [track for number, track in enumerate(tracks) if number or frame not in absent]
        points = np.stack([tracks[track][frame] for track in ids]) if ids else np.zeros((0, 17, 2), np.float32)
        scores = np.full(points.shape[:2], 0.9, np.float32)
        boxes = np.zeros((len(ids), 4), np.float32)
        found.append(FramePoses(frame, frame / FPS, boxes, np.ones(len(ids)), points, scores, np.array(ids)))
    return found


def swap(points: np.ndarray, frames: slice, joints: list[int]) -> np.ndarray:
    swapped = points.copy()
    swapped[frames, joints] = points[frames][:, [FLIP[joint] for joint in joints]]
    return swapped


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    start=st.integers(20, 60),
    length=st.integers(1, 12),
    part=st.sampled_from([LOWER, UPPER, [*LOWER, *UPPER]]),
    lag=st.sampled_from([0.0, 0.4, 1.0, 10.0]),
)
def test_a_swap_of_half_a_second_is_undone_whatever_the_lag(seed, start, length, part, lag):
    true, other = walk(seed), walk(seed + 1)
    seen = swap(true, slice(start, start + length), part)
    repair = SideSwapRepair(COCO17, FPS, lag)
    out = list(repair(iter(observe({3: seen, 5: other}))))
    assert [one.frame_index for one in out] == list(range(FRAMES))
    np.testing.assert_array_equal(np.stack([one.keypoints_2d[0] for one in out]), true)
    np.testing.assert_array_equal(np.stack([one.keypoints_2d[1] for one in out]), other)
    assert repair.num_swapped == length


def test_scores_go_with_their_joints():
    seen = swap(walk(0), slice(30, 40), [*LOWER, *UPPER])
    observations = observe({0: seen})
    for one in observations:
        one.keypoint_scores[:, COCO17.left[-1]] = 0.4
    out = list(SideSwapRepair(COCO17, FPS)(iter(observations)))
    assert out[20].keypoint_scores[0, COCO17.left[-1]] == np.float32(0.4)
    assert out[35].keypoint_scores[0, COCO17.right[-1]] == np.float32(0.4)


def test_what_waits_when_somebody_vanishes_is_decided_from_what_was_seen():
    true = walk(0)
    seen = swap(true, slice(26, 30), [*LOWER, *UPPER])
    out = list(SideSwapRepair(COCO17, FPS, 2.0)(iter(observe({0: seen}, absent=range(30, 50)))))
    for frame in (*range(30), *range(50, FRAMES)):
        np.testing.assert_array_equal(out[frame].keypoints_2d[0], true[frame])


def test_turning_round_is_no_swap():
    """Sides that pass each other slowly change places: a person who turns."""
    body = walk(1) - 100
    turned = body.copy()
    turned[..., 0] *= np.cos(np.linspace(0, np.pi, FRAMES))[:, None]
    repair = SideSwapRepair(COCO17, FPS)
    out = list(repair(iter(observe({0: turned}))))
    np.testing.assert_array_equal(np.stack([one.keypoints_2d[0] for one in out]), turned)


@pytest.mark.parametrize('lag', [0.0, 1.0])
def test_memory_does_not_grow(lag):
    repair = SideSwapRepair(COCO17, FPS, lag)
    frames = observe({0: walk(0)})
    endless = (
        replace(frames[number % FRAMES], frame_index=number, track_ids=np.array([number // 40]))
        for number in range(2000)
    )
    for _ in repair(endless):
        assert len(repair._waiting) <= round(lag * FPS) + 1
        assert len(repair._chains) <= 3
        assert all(len(chain.came_from) <= round(lag * FPS) + 1 for chain in repair._chains.values())

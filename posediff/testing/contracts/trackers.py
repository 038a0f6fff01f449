"""Contract tests of all registered trackers, plugins included; see posediff.tracking.base.

The people of the tests walk side by side, far apart, are detected in every frame, and have 15 keypoints.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from posediff.registry import TRACKERS
from posediff.testing.contracts.base import Contract
from posediff.tracking import BaseTracker

FPS, PEOPLE, JOINTS = 20.0, 3, 15
Frame = dict[str, np.ndarray]


def people(frame: int, number: int = PEOPLE, seed: int = 0) -> Frame:
    """Create boxes of 60 by 120 px that move 2 px per frame, with scores and keypoints."""
    shape = np.random.default_rng(seed).uniform(0, 1, (number, JOINTS, 2)) * [60, 120]
    corner = np.stack([200.0 * np.arange(number) + 2 * frame, np.full(number, 50.0)], axis=-1)
    noise = np.random.default_rng(1000 + frame).normal(0, 1, (number, 4))
    return {
        'boxes': np.concatenate([corner, corner + [60, 120]], axis=-1) + noise,
        'scores': np.linspace(0.8, 0.95, number),
        'keypoints': corner[:, None] + shape,
        'keypoint_scores': np.full((number, JOINTS), 0.9),
    }


def track(tracker: BaseTracker, frames: dict[int, Frame]) -> list[list[int]]:
    """Reset the tracker and return the track ids of each frame."""
    tracker.reset(FPS)
    return [tracker.update(index, **frame).tolist() for index, frame in frames.items()]


class TrackerContract(Contract):
    """Tests that run on every registered tracker."""

    registry = TRACKERS

    def test_people_keep_their_ids_after_min_hits_frames(self, component: BaseTracker) -> None:
        component.reset(FPS)
        given = []
        for frame in range(10):
            found = people(frame)
            ids = component.update(frame, **found)
            assert ids.dtype == np.int64
            assert all(np.array_equal(found[name], values) for name, values in people(frame).items())
            given.append(ids.tolist())
        without = component.min_hits - 1
        assert given[:without] == [[-1] * PEOPLE] * without
        assert given[without:] == [given[without]] * (10 - without)
        assert sorted(given[without]) == list(range(PEOPLE))

    @pytest.mark.parametrize('seed', range(3))
    def test_the_order_of_the_detections_does_not_matter(self, component: BaseTracker, seed: int) -> None:
        """Five people, each missing in some frames; permuted detections get the permuted ids."""
        rng = np.random.default_rng(seed)
        frames, orders = {}, []
        for frame in range(8):
            kept = np.flatnonzero(rng.random(5) < 0.8)
            frames[frame] = {name: values[kept] for name, values in people(frame, 5).items()}
            orders.append(rng.permutation(len(kept)))
        permuted = {
            index: {name: values[order] for name, values in frame.items()}
            for (index, frame), order in zip(frames.items(), orders, strict=True)
        }
        for ids, ids_permuted, order in zip(track(component, frames), track(component, permuted), orders, strict=True):
            assert [ids[row] for row in order] == ids_permuted

    def test_it_is_causal_and_reset_starts_anew(self, component: BaseTracker) -> None:
        frames = {frame: people(frame, 2 + frame % 3) for frame in range(9)}
        all_of_them = track(component, frames)
        for until in (3, 6):
            assert track(component, dict(list(frames.items())[:until])) == all_of_them[:until]
        assert track(component, frames) == all_of_them

    def test_keypoints_are_optional(self, component: BaseTracker) -> None:
        frames = {frame: {name: people(frame)[name] for name in ('boxes', 'scores')} for frame in range(6)}
        assert track(component, frames)[-1] in ([0, 1, 2], [2, 1, 0])

    def test_a_person_lost_for_too_long_gets_a_new_id(self, component: BaseTracker) -> None:
        lost = int(component.max_lost_s * FPS) + 1
        enough = component.min_hits + 1
        index, seen = 0, []
        component.reset(FPS)
        for _ in range(3):
            for _ in range(enough):
                ids = component.update(index, **people(0))
                index += 1
            seen += ids.tolist()
            for _ in range(lost):
                assert component.update(index, np.zeros((0, 4)), np.zeros(0)).shape == (0,)
                index += 1
        assert sorted(seen) == list(range(3 * PEOPLE))

    def test_memory_does_not_grow(self, component: BaseTracker) -> None:
        """Two people are always present, a third appears now and then."""
        component.reset(FPS)
        sizes = []
        for frame in range(240):
            component.update(frame, **people(frame % 3, 2 + (frame // 4) % 2))
            if frame % 8 == 7:
                sizes.append(len(pickle.dumps(vars(component))))
        assert max(sizes[15:]) <= 1.02 * max(sizes[:15])

    @pytest.mark.parametrize(
        ('changes', 'said'),
        [
            ({'boxes': np.zeros((PEOPLE, 3))}, r'boxes \(3, 3\) and scores \(3,\) are not \(N, 4\) and \(N,\)'),
            ({'scores': np.ones(2)}, r'boxes \(3, 4\) and scores \(2,\)'),
            ({'scores': np.array([0.5, np.nan, 0.5])}, 'scores of detection 1 are not finite: nan'),
            ({'boxes': np.array([[0, 0, 5, 5], [0, 0, 5, np.inf], [0, 0, 5, 5.0]])}, 'boxes of detection 1'),
            ({'boxes': np.array([[0, 0, 5, 5], [0, 0, 5, 5], [9, 0, 5, 5.0]])}, 'sides of boxes of detection 2'),
            ({'keypoints': np.zeros((PEOPLE, JOINTS, 3))}, r'keypoints \(3, 15, 3\) are not \(3, K, 2\)'),
            ({'keypoints': np.full((PEOPLE, JOINTS, 2), np.nan)}, 'keypoints of detection 0 are not finite'),
            ({'keypoint_scores': np.ones((PEOPLE, 4))}, r'keypoint_scores \(3, 4\) are not \(3, 15\)'),
            ({'keypoints': None}, 'keypoint_scores without keypoints'),
            (
                {'keypoints': np.zeros((PEOPLE, 4, 2)), 'keypoint_scores': None},
                '4 keypoints, but 15 in an earlier frame',
            ),
            ({'frame_index': 4}, 'frame 4 comes after frame 4'),
            ({'frame_index': -1}, 'frame_index must be a whole number of at least 0'),
        ],
    )
    def test_invalid_arguments_are_errors(self, component: BaseTracker, changes: dict[str, Any], said: str) -> None:
        with pytest.raises(RuntimeError, match=r'call reset\(fps\)'):
            component.update(4, **people(0))
        component.reset(FPS)
        component.update(4, **people(0))
        with pytest.raises(ValueError, match=f'{type(component).__name__}.*{said}'):
            component.update(**{'frame_index': 5, **people(1), **changes})

    @pytest.mark.parametrize('fps', [0, -25.0, float('inf')])
    def test_frame_rate_must_be_positive(self, component: BaseTracker, fps: float) -> None:
        with pytest.raises(ValueError, match='fps must be'):
            component.reset(fps)

    def test_an_unobserved_keypoint_may_be_nan(self, component: BaseTracker) -> None:
        frames = {frame: people(frame) for frame in range(5)}
        expected = track(component, frames)
        for frame in frames.values():
            frame['keypoints'][:, 3] = np.nan
            frame['keypoint_scores'][:, 3] = 0
        assert track(component, frames) == expected

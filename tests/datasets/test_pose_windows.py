"""Windows cover every frame, and random draws depend only on seed, epoch and index."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from posediff.datasets.pose_tracks import PoseFrames, StoredTrack
from posediff.datasets.pose_windows import PoseWindowDataset, centred_window, covering_windows
from posediff.geometry import Camera


def make_track(name: str, frames: int, action: str = 'walk') -> StoredTrack:
    """A track whose keypoints and joints encode their frame index."""
    number = np.arange(frames, dtype=np.float32)[:, None, None]
    camera = Camera(np.array([1000.0, 1000.0]), np.array([500.0, 500.0]), (1000, 1000), np.eye(3), np.zeros(3))
    ones = np.ones((frames, 17), dtype=np.float32)
    joints, keypoints = np.broadcast_to(number, (frames, 17, 3)), np.broadcast_to(number, (frames, 17, 2))
    return StoredTrack(f'test/1/{name}/cam0', '1', action, 50.0, PoseFrames(camera, joints, keypoints, ones, ones))


class Numbered(PoseWindowDataset):
    """A dataset of tracks of given lengths, with dicts as items."""

    def __init__(self, tracks: dict[str, tuple[int, str]], **kwargs) -> None:
        self.given = tracks
        super().__init__(pipeline=[lambda results: results], **kwargs)

    def load_tracks(self) -> list[StoredTrack]:
        return [make_track(name, *what) for name, what in self.given.items()]


def identity(batch: list) -> list:
    return batch


def first_frames(items) -> list[tuple[str, int]]:
    return [(item['sample_id'], int(item['frame_indices'][0])) for item in items]


@given(st.integers(1, 400), st.integers(1, 60))
def test_covering_windows_hold_every_frame_exactly_once(num_frames, window_size):
    windows = covering_windows(0, num_frames, window_size)
    counted = Counter()
    for window in windows:
        assert len(window.frame_indices) == len(window.frame_mask) == window_size
        assert window.frame_indices.min() >= 0
        assert window.frame_indices.max() < num_frames
        counted.update(window.frame_indices[window.frame_mask].tolist())
    assert counted == dict.fromkeys(range(num_frames), 1)
    assert len(windows) == max(-(-num_frames // window_size), 1)


def test_the_last_window_is_aligned_to_the_end_and_masks_what_is_covered():
    *_, last = covering_windows(0, 60, 27)
    assert last.start == 33
    np.testing.assert_array_equal(last.frame_indices, np.arange(33, 60))
    np.testing.assert_array_equal(last.frame_mask, np.arange(33, 60) >= 54)


def test_a_short_clip_is_padded_with_its_last_frame_and_masked():
    dataset = Numbered({'short': (5, 'walk')}, window_size=9, test_mode=True)
    (item,) = [dataset[index] for index in range(len(dataset))]
    np.testing.assert_array_equal(item['keypoints_2d'][:, 0, 0], [0, 1, 2, 3, 4, 4, 4, 4, 4])
    np.testing.assert_array_equal(item['frame_mask'], [True] * 5 + [False] * 4)
    assert item['sample_id'] == 'test/1/short/cam0/0'


def test_a_centred_window_masks_all_but_its_frame():
    window = centred_window(0, 1, 30, 9)
    np.testing.assert_array_equal(window.frame_indices, [0, 0, 0, 0, 1, 2, 3, 4, 5])
    assert window.frame_mask.tolist() == [False] * 4 + [True] + [False] * 4


def test_test_items_have_stable_unique_names_and_generators():
    tracks = {'a': (60, 'walk'), 'b': (30, 'run')}
    dataset = Numbered(tracks, test_mode=True)
    names = [dataset[index]['sample_id'] for index in range(len(dataset))]
    assert names == ['test/1/a/cam0/0', 'test/1/a/cam0/27', 'test/1/a/cam0/33', 'test/1/b/cam0/0', 'test/1/b/cam0/3']
    draws = [dataset[index]['rng'].random() for index in range(len(dataset))]
    assert len(set(draws)) == len(draws)
    again = Numbered({'b': (30, 'run'), 'a': (60, 'walk')}, test_mode=True)
    assert again[0]['rng'].random() == draws[3]  # depends on the name, not the position
    assert Numbered(tracks, test_mode=True, seed=1)[0]['rng'].random() != draws[0]


def test_an_epoch_has_one_item_for_every_window_of_a_clip():
    dataset = Numbered({'a': (100, 'walk'), 'b': (20, 'walk'), 'c': (54, 'run')})
    names = Counter(dataset[index]['sample_id'].split('/')[2] for index in range(len(dataset)))
    assert names == {'a': 3, 'b': 1, 'c': 2}


def test_training_windows_lie_inside_the_clip_and_reach_both_ends():
    dataset = Numbered({'a': (40, 'walk')}, items_per_epoch=2000)
    starts = {int(item['frame_indices'][0]) for item in map(dataset.__getitem__, range(2000))}
    assert starts == set(range(14))
    official = Numbered({'a': (40, 'walk')}, items_per_epoch=2000, exclude_last_start=True)
    starts = {int(item['frame_indices'][0]) for item in map(official.__getitem__, range(2000))}
    assert starts == set(range(13))


@pytest.mark.parametrize(('balance', 'share'), [(0.0, 0.1), (1.0, 0.5), (0.5, 0.25)])
def test_actions_are_balanced_as_asked(balance, share):
    tracks = {'long': (27 * 90, 'walk'), 'short': (27 * 5, 'jump'), 'other': (27 * 5, 'jump')}
    dataset = Numbered(tracks, items_per_epoch=4000, action_balance=balance)
    jumps = np.mean([dataset[index]['action'] == 'jump' for index in range(4000)])
    assert jumps == pytest.approx(share, abs=0.03)


def test_draws_change_with_the_epoch_and_repeat_with_it():
    dataset = Numbered({'a': (500, 'walk'), 'b': (300, 'run')}, items_per_epoch=20)
    first = first_frames(map(dataset.__getitem__, range(20)))
    dataset.set_epoch(1)
    second = first_frames(map(dataset.__getitem__, range(20)))
    dataset.set_epoch(0)
    assert first != second
    assert first == first_frames(map(dataset.__getitem__, reversed(range(20))))[::-1]


def test_workers_draw_what_the_main_process_draws_even_when_they_persist():
    dataset = Numbered({'a': (500, 'walk'), 'b': (300, 'run')}, items_per_epoch=12)
    loader = DataLoader(dataset, batch_size=3, num_workers=2, persistent_workers=True, collate_fn=identity)
    for epoch in (0, 1, 5):
        dataset.set_epoch(epoch)
        loaded = first_frames(item for batch in loader for item in batch)
        assert loaded == first_frames(map(dataset.__getitem__, range(12))), f'epoch {epoch}'
    del loader


def test_max_items_spreads_over_the_set():
    dataset = Numbered({'a': (270, 'walk'), 'b': (270, 'run')}, test_mode=True, max_items=4)
    assert [dataset[index]['sample_id'].split('/')[2] for index in range(4)] == ['a', 'a', 'b', 'b']
    assert len(Numbered({'a': (54, 'walk')}, test_mode=True, max_items=10)) == 2


def test_indices_end_where_the_data_ends():
    dataset = Numbered({'a': (54, 'walk')}, test_mode=True)
    assert dataset[-1]['sample_id'] == dataset[1]['sample_id']
    with pytest.raises(IndexError, match='item 2 of 2'):
        dataset[2]


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'tracks': {}}, 'leaves no clip'),
        ({'tracks': {'a': (5, 'walk'), 'none': (0, 'walk')}}, 'clips without a frame: test/1/none/cam0'),
        ({'tracks': {'a': (5, 'walk')}, 'window_size': 0}, 'window_size must be a whole number of at least 1, got 0'),
        ({'tracks': {'a': (5, 'walk')}, 'action_balance': 2.0}, 'action_balance must be None or lie in'),
        ({'tracks': {'a': (5, 'walk')}, 'action_balance': float('nan')}, 'action_balance must be None or lie in'),
        ({'tracks': {'a': (5, 'walk')}, 'action_balance': 'high'}, "lie in .*, got 'high'"),
        ({'tracks': {'a': (5, 'walk')}, 'items_per_epoch': 0}, 'items_per_epoch must be a whole number of at least 1'),
        ({'tracks': {'a': (5, 'walk')}, 'max_items': 2.5}, 'max_items must be a whole number of at least 1, got 2.5'),
        ({'tracks': {'a': (5, 'walk')}, 'window_size': None}, 'window_size must be a whole number'),
        ({'tracks': {'a': (5, 'walk')}, 'seed': -1}, 'seed must be a whole number of at least 0, got -1'),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        Numbered(**kwargs)


def test_the_epoch_is_in_shared_memory():
    assert Numbered({'a': (54, 'walk')})._epoch.is_shared()
    assert isinstance(Numbered({'a': (54, 'walk')})._epoch, torch.Tensor)

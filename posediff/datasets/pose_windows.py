"""Windows of 2D and 3D poses, the base of all lifting datasets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from posediff.datasets.passes import epoch_of
from posediff.datasets.pose_tracks import Track
from posediff.registry import build_pipeline
from posediff.structures.argument_checks import require_whole
from posediff.structures.named_generators import named_rng
from posediff.structures.skeletons import get_skeleton

PACK_ONLY = ({'type': 'PackLiftingInputs'},)


@dataclass(frozen=True)
class Window:
    """A window of T frames of a track.

    Attributes:
        track: Index of the track in the dataset.
        start: Index of the first frame; negative if the window begins before the track.
        frame_indices: (T,) indices of the frames; beyond the ends of the track, the end frame is repeated.
        frame_mask: (T,) bool, False for padding and for frames that belong to other windows.
    """

    track: int
    start: int
    frame_indices: np.ndarray
    frame_mask: np.ndarray


def window_at(track: int, start: int, num_frames: int, window_size: int, first_new: int = 0) -> Window:
    """Return the window that starts at frame ``start`` of a track of ``num_frames``.

    Beyond the end the last frame is repeated and masked; frames before ``first_new`` are masked too.
    """
    wanted = np.arange(start, start + window_size)
    mask = (wanted < num_frames) & (wanted >= first_new)
    return Window(track, start, np.minimum(wanted, num_frames - 1), mask)


def centred_window(track: int, center: int, num_frames: int, window_size: int) -> Window:
    """Return the window around one frame, the only unmasked one. Beyond the ends the end frame is repeated."""
    start = center - window_size // 2
    wanted = np.arange(start, start + window_size)
    return Window(track, start, np.clip(wanted, 0, num_frames - 1), wanted == center)


def covering_windows(track: int, num_frames: int, window_size: int) -> list[Window]:
    """Return windows whose masks cover every frame of a track exactly once.

    Windows are adjacent. The last one is aligned to the end of the track and masks the overlap. A track shorter than a
    window becomes one window, padded with its last frame.
    """
    starts = list(range(0, num_frames - window_size + 1, window_size)) or [0]
    windows = [window_at(track, start, num_frames, window_size) for start in starts]
    covered = starts[-1] + window_size
    if covered < num_frames:
        windows.append(window_at(track, num_frames - window_size, num_frames, window_size, first_new=covered))
    return windows


class PoseWindowDataset(Dataset):
    """Dataset of windows of T frames from clips in memory.

    Training items are sampled: item ``index`` depends on ``(seed, epoch, index)`` only, so it is independent of workers
    and resuming. Test items are windows that cover every frame once, in a fixed order; their transforms are seeded by
    ``(seed, sample_id)``. The ``sample_id`` of an item is ``<dataset>/<subject>/<clip>/<camera>/<start>``.

    Args:
        window_size: T.
        pipeline: Configs of transforms; the default only packs.
        test_mode: Cover every frame instead of sampling.
        items_per_epoch: Training items per epoch; the default is one per T frames, ``floor(F / T)`` per clip.
        action_balance: None samples clips in proportion to their length. Otherwise an action is sampled first: 1 gives
            equal probability, 0 probability in proportion to the number of frames, values between use the frames to the
            power of ``1 - action_balance``.
        exclude_last_start: Never start at frame F - T, as in the official DiffHPE code.
        max_items: Keep this many test windows, evenly spaced over the set.
        seed: Random seed.

    Raises:
        ValueError: A clip is empty, no clip remains, or an argument is out of range; the message names it.
    """

    dataset_name = 'poses'
    skeleton_name = 'h36m17'

    def __init__(
        self,
        *,
        window_size: int = 27,
        pipeline: Sequence[Any] = PACK_ONLY,
        test_mode: bool = False,
        items_per_epoch: int | None = None,
        action_balance: float | None = None,
        exclude_last_start: bool = False,
        max_items: int | None = None,
        seed: int = 0,
    ) -> None:
        owner = type(self).__name__
        counts = {'items_per_epoch': items_per_epoch, 'max_items': max_items}
        given = {name: value for name, value in counts.items() if value is not None}
        require_whole(owner, {'window_size': window_size, **given}, least=1)
        require_whole(owner, {'seed': seed}, least=0)
        if action_balance is not None and not (isinstance(action_balance, Real) and 0 <= action_balance <= 1):
            raise ValueError(f'{owner}: action_balance must be None or lie in [0, 1], got {action_balance!r}')
        self.window_size = window_size
        self.test_mode = test_mode
        self.exclude_last_start = exclude_last_start
        self.seed = seed
        self.skeleton = get_skeleton(self.skeleton_name)
        self.pipeline = build_pipeline(pipeline)
        # Shared memory: persistent workers read the epoch that the main process sets.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self.tracks = self.load_tracks()
        if not self.tracks:
            raise ValueError(f'{owner}: the selection leaves no clip')
        empty = [track.track_id for track in self.tracks if track.num_frames == 0]
        if empty:
            raise ValueError(f'{owner}: clips without a frame: {", ".join(empty)}')
        if test_mode:
            self._windows = self._all_windows(max_items)
        else:
            self._windows = []
            self._prepare_draws(items_per_epoch, action_balance)

    @abstractmethod
    def load_tracks(self) -> Sequence[Track]:
        """Read the clips; called once, after skeleton, seed and test_mode are set."""

    @property
    def metainfo(self) -> dict[str, Any]:
        """Metadata of the dataset for metrics and visualizers."""
        return {
            'dataset_name': self.dataset_name,
            'skeleton': self.skeleton_name,
            'joint_names': self.skeleton.joint_names,
            'flip_indices': self.skeleton.flip_indices,
            'actions': tuple(sorted({track.action for track in self.tracks})),
        }

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the following training items, in workers too."""
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self._windows) if self.test_mode else self._num_items

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f'{type(self).__name__}: item {index} of {len(self)}')
        epoch = epoch_of(index, int(self._epoch))
        index %= len(self)
        if self.test_mode:
            return self.read_window(self._windows[index])
        rng = np.random.default_rng((self.seed, epoch, index))
        return self.read_window(self._draw_window(index, rng), rng)

    def read_window(self, window: Window, rng: np.random.Generator | None = None) -> dict[str, Any]:
        """Return the item of a window; without ``rng``, ``(seed, sample_id)`` seeds its transforms."""
        track = self.tracks[window.track]
        sample_id = f'{track.track_id}/{window.start}'
        if rng is None:
            rng = named_rng(self.seed, sample_id)
        frames = track.read(window.frame_indices, rng)
        results = {
            **frames._asdict(),
            'sample_id': sample_id,
            'img_shape': frames.camera.img_shape,
            'fps': track.fps,
            'skeleton': self.skeleton_name,
            'action': track.action,
            'subject': track.subject,
            'frame_indices': window.frame_indices,
            'frame_mask': window.frame_mask,
            'rng': rng,
        }
        for transform in self.pipeline:
            results = transform(results)
        return results

    def _all_windows(self, max_items: int | None) -> list[Window]:
        windows = [
            window
            for index, track in enumerate(self.tracks)
            for window in covering_windows(index, track.num_frames, self.window_size)
        ]
        if max_items is None or max_items >= len(windows):
            return windows
        return [windows[index] for index in np.linspace(0, len(windows) - 1, max_items).astype(int)]

    def _prepare_draws(self, items_per_epoch: int | None, action_balance: float | None) -> None:
        frames = np.array([track.num_frames for track in self.tracks])
        counts = np.maximum(frames // self.window_size, 1)
        self._num_items = items_per_epoch or int(counts.sum())
        self._table = np.repeat(np.arange(len(counts)), counts)
        self._cumulative: np.ndarray | None = None
        weights = counts / counts.sum()
        if action_balance is not None:
            _, action_of_track = np.unique([track.action for track in self.tracks], return_inverse=True)
            share = np.bincount(action_of_track, weights)
            weights = weights * (share**-action_balance)[action_of_track]
        if action_balance is not None or self._num_items != len(self._table):
            self._cumulative = np.cumsum(weights) / weights.sum()

    def _draw_window(self, index: int, rng: np.random.Generator) -> Window:
        if self._cumulative is None:
            track = int(self._table[index])
        else:
            track = min(int(np.searchsorted(self._cumulative, rng.random(), side='right')), len(self.tracks) - 1)
        num_frames = self.tracks[track].num_frames
        last = num_frames - self.window_size - self.exclude_last_start
        start = int(rng.integers(last + 1)) if last > 0 else 0
        return window_at(track, start, num_frames, self.window_size)

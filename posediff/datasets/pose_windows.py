"""Windows of 2D and 3D poses: what all lifting datasets share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose
from torch.utils.data import Dataset

from posediff.geometry import Camera
from posediff.skeletons import get_skeleton

SUBSTITUTE_PIPELINE = (dict(type='PackLiftingInputs'),)


@dataclass(frozen=True)
class PoseTrack:
    """One person seen by one camera over one clip. float32, F frames, K joints.

    Attributes:
        track_id: ``<dataset>/<subject>/<clip>/<camera>``.
        joints_3d: (F, K, 3) mm, camera frame.
        keypoints_2d: (F, K, 2) px.
        keypoint_scores: (F, K) in [0, 1].
        keypoint_mask: (F, K), 1 = observed.
    """

    track_id: str
    subject: str
    action: str
    fps: float
    camera: Camera
    joints_3d: np.ndarray
    keypoints_2d: np.ndarray
    keypoint_scores: np.ndarray
    keypoint_mask: np.ndarray


@dataclass(frozen=True)
class Window:
    """Which frames of a track: (T,) indices, and (T,) bool: False where a frame is padding or already in another window."""

    start: int
    frame_indices: np.ndarray
    frame_mask: np.ndarray


def window_at(start: int, num_frames: int, window_size: int, first_new: int = 0) -> Window:
    """The window that begins at ``start`` in a track of ``num_frames``.

    Frames beyond the end repeat the last one and are masked; frames before ``first_new`` are masked too.
    """
    wanted = np.arange(start, start + window_size)
    return Window(start, np.minimum(wanted, num_frames - 1), (wanted < num_frames) & (wanted >= first_new))


def covering_windows(num_frames: int, window_size: int) -> list[Window]:
    """Windows that hold every frame of a track exactly once in their masks.

    They lie side by side; the last is aligned to the end of the track and masks what its neighbour covers. A track shorter
    than a window becomes one window padded with its last frame.
    """
    starts = list(range(0, num_frames - window_size + 1, window_size)) or [0]
    windows = [window_at(start, num_frames, window_size) for start in starts]
    covered = starts[-1] + window_size
    if covered < num_frames:
        windows.append(window_at(num_frames - window_size, num_frames, window_size, first_new=covered))
    return windows


class PoseWindowDataset(Dataset):
    """Windows of T frames from tracks held in memory.

    Training items are random draws: item ``index`` of epoch e is decided by ``(seed, e, index)`` alone, so neither workers
    nor a resumed run change it. Test items are the windows that cover every frame once, in a fixed order; randomness of
    their transforms comes from ``(seed, sample_id)``.

    Subclasses give :meth:`load_tracks`, and may override how a training item is drawn.

    Args:
        window_size: T.
        pipeline: Configs of transforms; the default only packs.
        test_mode: Cover every frame instead of drawing.
        items_per_epoch: Training items per epoch; default: one for every T frames.
        exclude_last_start: Draw window starts as the official DiffHPE code does, which never begins at F - T.
        max_items: Keep this many test windows, evenly spread (for a quick look).
        seed: Of all draws.
        indices: Keep only these items of the epoch or test set.
    """

    name = 'poses'
    skeleton_name = 'h36m17'

    def __init__(
        self,
        *,
        window_size: int = 27,
        pipeline: Sequence[Any] = SUBSTITUTE_PIPELINE,
        test_mode: bool = False,
        items_per_epoch: int | None = None,
        exclude_last_start: bool = False,
        max_items: int | None = None,
        seed: int = 0,
    ) -> None:
        if window_size < 1:
            raise ValueError(f'window_size must be at least 1 frame, got {window_size}')
        self.window_size = window_size
        self.test_mode = test_mode
        self.exclude_last_start = exclude_last_start
        self.seed = seed
        self.skeleton = get_skeleton(self.skeleton_name)
        self.pipeline = Compose([*pipeline])
        # Shared memory: a worker that lives through several epochs sees what set_epoch wrote in the main process.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self.tracks = self.load_tracks()
        if not self.tracks:
            raise ValueError(f'{type(self).__name__}: no clips left after selecting')

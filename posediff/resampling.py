"""Between the frame rate of a clip and the one that a model was trained at."""

from __future__ import annotations

import numpy as np


def resample(values: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Read a sequence (F, …) between its frames by linear interpolation.

    Args:
        values: (F, …) one entry a frame, finite.
        positions: (G,) where to read, in frames, within 0..F-1.

    Returns:
        (G, …) in the dtype of ``values``; bools are true where both neighbours are.
    """
    lower = np.floor(positions).astype(int)
    upper = np.minimum(lower + 1, len(values) - 1)
    share = (positions - lower).reshape(-1, *([1] * (values.ndim - 1)))
    if values.dtype == bool:
        return np.where(share > 0, values[lower] & values[upper], values[lower])
    return (values[lower] * (1 - share) + values[upper] * share).astype(values.dtype)


def frame_positions(num_frames: int, fps: float, target_fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the frames of a clip lie on another rate's grid, and the other way round.

    Args:
        num_frames: F.
        fps: Rate of the clip.
        target_fps: Rate of the grid, which begins with the clip's first frame and ends with its last.

    Returns:
        (G,) positions of the grid in frames of the clip, the last one at its end; (F,) positions of its frames on
        the grid.

    Raises:
        ValueError: A rate is not positive and finite.
    """
    for name, rate in (('fps', fps), ('target_fps', target_fps)):
        if not (np.isfinite(rate) and rate > 0):
            raise ValueError(f'{name} must be positive, got {rate}')
    last = (num_frames - 1) * (target_fps / fps)
    grid = np.minimum(np.arange(int(np.ceil(last - 1e-9)) + 1) * (fps / target_fps), num_frames - 1)
    return grid, np.interp(np.arange(num_frames), grid, np.arange(len(grid)))

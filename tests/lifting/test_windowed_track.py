"""Windows of a track that grows: the same frames, windows and blends as if the whole clip had been there at once."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.lifting.windowed_track import WindowedTrack

WINDOW, JOINTS = 9, 3


def resample(values, positions):
    """Read a sequence (F, …) at positions (G,), in frames, by linear interpolation; bools need both neighbours."""
    lower = np.floor(positions).astype(int)
    upper = np.minimum(lower + 1, len(values) - 1)
    share = (positions - lower).reshape(-1, *([1] * (values.ndim - 1)))
    if values.dtype == bool:
        return np.where(share > 0, values[lower] & values[upper], values[lower])
    return (values[lower] * (1 - share) + values[upper] * share).astype(values.dtype)


def frame_positions(num_frames, fps, target_fps):
    """Positions (G,) of another rate's grid in frames of the clip, and (F,) of the clip's frames on that grid."""
    last = (num_frames - 1) * (target_fps / fps)
    grid = np.minimum(np.arange(int(np.ceil(last - 1e-9)) + 1) * (fps / target_fps), num_frames - 1)
    return grid, np.interp(np.arange(num_frames), grid, np.arange(len(grid)))


def clip(frames: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(frames)
    return rng.normal(size=(frames, JOINTS, 2)).astype(np.float32), rng.random((frames, JOINTS)) > 0.2


def lift(start: int, points: np.ndarray, observed: np.ndarray) -> torch.Tensor:
    """Stand-in for a network: depends on the frame, its place in the window and the window (T, M, K, 3)."""
    place = np.arange(WINDOW)[:, None, None] + 0.1 * start + observed[..., None]
    poses = np.concatenate([points, points.sum(-1, keepdims=True)], -1) * place
    return torch.from_numpy(np.stack([poses, -poses], 1).astype(np.float32))


def streamed(frames: int, hop: int, step: float, delay: int):
    """Poses (F, M, K, 3) of a clip that is pushed frame by frame, windows coming back ``delay`` later; longest lag."""
    points, observed = clip(frames)
    track = WindowedTrack(WINDOW, hop, step)
    waiting, parts, seen, kept = [], [], [], 0
    for frame in range(frames):
        track.push(points[frame], observed[frame])
        if frame == frames - 1:
            track.end()
            delay = 0
        waiting += list(track.due())
        while len(waiting) > delay:
            start, *window = waiting.pop(0)
            track.accept(start, lift(start, *window))
        found = track.ready()
        if found is not None:
            first, poses, used, mask = found
            assert first == len(seen)
            np.testing.assert_array_equal(used, points[first : first + len(poses)])
            np.testing.assert_array_equal(mask, observed[first : first + len(poses)])
            seen += list(used)
            parts.append(poses)
        kept = max(kept, len(track._frames), len(track._grid), len(track._blended))
    assert track.is_empty
    assert track.ready() is None
    return torch.cat(parts).numpy(), kept


def at_once(frames: int, hop: int, fps: float, model_fps: float) -> np.ndarray:
    points, observed = clip(frames)
    grid, back = frame_positions(frames, fps, model_fps)
    points, observed = resample(points, grid), resample(observed, grid)
    missing = max(WINDOW - len(grid), 0)
    points, observed = (np.concatenate([part, part[-1:].repeat(missing, 0)]) for part in (points, observed))
    total, weights = np.zeros((len(points), 2, JOINTS, 3)), np.zeros((len(points), 1, 1, 1))
    ramp = np.minimum(np.arange(1, WINDOW + 1), np.arange(WINDOW, 0, -1)).reshape(-1, 1, 1, 1)
    for start in sorted({*range(0, len(points) - WINDOW, hop), len(points) - WINDOW}):
        window = slice(start, start + WINDOW)
        total[window] += lift(start, points[window], observed[window]).numpy() * ramp
        weights[window] += ramp
    return resample((total / weights)[: len(grid)], back)


RATES = st.sampled_from([(50, 50), (30, 50), (25, 50), (50, 25), (60, 50), (29.97, 50), (12.5, 50)])


@settings(max_examples=150, deadline=None)
@given(frames=st.integers(1, 70), hop=st.integers(1, WINDOW), rates=RATES, delay=st.integers(0, 3))
def test_a_track_that_grows_ends_as_the_whole_clip(frames, hop, rates, delay) -> None:
    poses, _ = streamed(frames, hop, rates[0] / rates[1], delay)
    np.testing.assert_allclose(poses, at_once(frames, hop, *rates), rtol=1e-4, atol=1e-4)


def test_memory_does_not_grow() -> None:
    short, long = (streamed(frames, 3, 0.6, 1)[1] for frames in (60, 600))
    assert long == short < 8 * WINDOW

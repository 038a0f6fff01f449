"""Frames of a video with their neighbours, and batches of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from posediff.pose_estimation.base import FrameWindow
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.video_frame import VideoFrame

Item = TypeVar('Item')


def frame_windows(
    found: Iterable[tuple[VideoFrame, PersonBoxes]], around: int, first: int = 0
) -> Iterator[FrameWindow]:
    """Yield each frame with its neighbours; at the ends of the video the first or last frame is repeated.

    Args:
        found: Frames in temporal order, with the persons in them.
        around: Number of neighbours before and after each frame.
        first: Index of the first frame to yield.
    """
    kept: deque[tuple[VideoFrame, PersonBoxes]] = deque(maxlen=2 * around + 1)
    last: tuple[VideoFrame, PersonBoxes] | None = None
    for item in found:
        kept.extend([item] * (around + 1 if last is None else 1))
        last = item
        if len(kept) == 2 * around + 1 and kept[around][0].index >= first:
            yield _window(kept, around)
    for _ in range(around if last is not None else 0):
        kept.append(last)  # type: ignore[arg-type]
        if len(kept) == 2 * around + 1 and kept[around][0].index >= first:
            yield _window(kept, around)


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of ``size`` items; the last one may be shorter."""
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _window(kept: deque[tuple[VideoFrame, PersonBoxes]], around: int) -> FrameWindow:
    return FrameWindow(tuple(frame for frame, _ in kept), kept[around][1])

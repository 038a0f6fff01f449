"""Number the results of a live video consecutively, and measure the rate that was reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from posediff.structures.results import FrameResult


class LiveResults:
    """An iterable that numbers the results of a live video from 0 without gaps; ``time_s`` of the frames is kept.

    Args:
        results: Results with the frame indices of the video, in which skipped frames are missing.

    Attributes:
        num_frames: Number of results so far.
    """

    def __init__(self, results: Iterable[FrameResult]) -> None:
        self._results = results
        self.num_frames = 0
        self._first_s = self._last_s = 0.0

    def __iter__(self) -> Iterator[FrameResult]:
        for result in self._results:
            if self.num_frames == 0:
                self._first_s = result.time_s
            self._last_s = result.time_s
            yield replace(result, frame_index=self.num_frames)
            self.num_frames += 1

    @property
    def fps(self) -> float | None:
        """Mean rate of the processed frames; None for fewer than two frames, or if all have the same time.

        All frames have the same time if the time stamps of the stream do not advance.
        """
        elapsed = self._last_s - self._first_s
        return (self.num_frames - 1) / elapsed if self.num_frames > 1 and elapsed > 0 else None

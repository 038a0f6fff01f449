"""Number the results of a live video consecutively, and measure the rate that was reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from posediff.structures.results import FrameResult


class LiveResults:
    """Number results from 0 without the frames that were left out; ``time_s`` stays that of the frame.

    Attributes:
        num_frames: Results so far.
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
        """Mean rate of the processed frames; None for fewer than two frames, or if the last has the time of the first.

        A stream whose clock stands still gives all frames one time.
        """
        elapsed = self._last_s - self._first_s
        return (self.num_frames - 1) / elapsed if self.num_frames > 1 and elapsed > 0 else None

"""Results of a video that did not wait: numbered as they come, at the rate that was reached."""

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
        """Mean rate of the frames that were looked at; None of fewer than two."""
        if self.num_frames < 2:
            return None
        return (self.num_frames - 1) / (self._last_s - self._first_s)

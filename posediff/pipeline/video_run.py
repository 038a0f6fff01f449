"""One video on its way through the pipeline."""

from __future__ import annotations

from collections.abc import Iterator

from posediff.pipeline.side_swaps import SideSwapRepair
from posediff.structures.results import FrameResult


class VideoRun(Iterator[FrameResult]):
    """The results of one video, a frame at a time, and what was done on the way so far.

    Args:
        results: Of the frames, in order.
        side_repair: That the observations went through; None: none.
    """

    def __init__(self, results: Iterator[FrameResult], side_repair: SideSwapRepair | None) -> None:
        self._results, self._side_repair = results, side_repair

    def __next__(self) -> FrameResult:
        return next(self._results)

    @property
    def sides_put_right(self) -> int:
        """Frames of people in which a part of the body was swapped back to its side."""
        return 0 if self._side_repair is None else self._side_repair.num_swapped

"""Results of a live video: consecutive numbers, and the rate that was reached."""

from __future__ import annotations

import pytest

from posediff.pipeline.live import LiveResults
from posediff.structures.results import FrameResult


def numbered(*times_s: float) -> tuple[LiveResults, list[FrameResult]]:
    results = LiveResults(FrameResult(10 * number, time_s, ()) for number, time_s in enumerate(times_s))
    return results, list(results)


def test_results_are_numbered_without_the_frames_left_out() -> None:
    results, found = numbered(1.0, 1.5, 1.75)
    assert [result.frame_index for result in found] == [0, 1, 2]
    assert [result.time_s for result in found] == [1.0, 1.5, 1.75]
    assert results.fps == pytest.approx(2 / 0.75)


@pytest.mark.parametrize('times_s', [(), (3.0,), (3.0, 3.0), (3.0, 4.0, 3.0), (3.0, 2.0)])
def test_no_rate_is_reported_without_elapsed_time(times_s: tuple[float, ...]) -> None:
    results, found = numbered(*times_s)
    assert len(found) == results.num_frames == len(times_s)
    assert results.fps is None

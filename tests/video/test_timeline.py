"""Time stamps that jump, restart, are missing or wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.video.timeline import MAX_PAUSE_S, TimeLine, max_pause

STEP = 0.04


def times_of(stamps: list[float | None]) -> tuple[list[float], TimeLine]:
    line = TimeLine(STEP)
    return [line(stamp) for stamp in stamps], line


def in_steps(times: list[float]) -> list[float]:
    return [round(time / STEP, 6) for time in times]


@pytest.mark.parametrize('start', [0.0, -3.2, 36_000.0, 95_443.7])
def test_time_counts_from_the_first_picture(start):
    times, line = times_of([start + number * STEP for number in range(50)])
    assert in_steps(times) == list(range(50))
    assert not line.cuts


@pytest.mark.parametrize('jump', [3600.0, 95_443.7, MAX_PAUSE_S + 1])
def test_a_jump_ahead_is_one_cut_of_one_step(jump):
    stamps = [number * STEP for number in range(20)]
    times, line = times_of(stamps + [stamps[-1] + jump + number * STEP for number in range(20)])
    assert in_steps(times) == list(range(40))
    (cut,) = line.cuts
    assert cut.time_s == pytest.approx(20 * STEP)
    assert cut.stamps_s == pytest.approx((stamps[-1], stamps[-1] + jump))


@pytest.mark.parametrize('first', [3, 5, 30, 500])
def test_stamps_that_start_again_are_one_cut_however_short_the_part_before(first):
    parts = [number * STEP for number in range(first)], [number * STEP for number in range(first + 100)]
    times, line = times_of([*parts[0], *parts[1]])
    assert in_steps(times) == list(range(2 * first + 100))
    assert [cut.stamps_s for cut in line.cuts] == [(parts[0][-1], 0.0)]


def test_a_pause_is_kept_and_pictures_without_a_stamp_follow_by_a_step():
    times, line = times_of([0.0, STEP, STEP + 9.0, None, None, STEP + 9.0 + 3 * STEP])
    assert in_steps(times) == [0, 1, 226, 227, 228, 229]
    assert not line.cuts
    assert in_steps(times_of([None, None, 7.0, 7.0 + STEP])[0]) == [0, 1, 2, 3]


def test_one_wrong_stamp_is_no_cut():
    stamps: list[float | None] = [number * STEP for number in range(20)]
    stamps[9] = 0.0
    times, line = times_of(stamps)
    assert in_steps(times) == list(range(20))
    stamps[9] = stamps[8]
    assert in_steps(times_of(stamps)[0]) == list(range(20))
    assert not line.cuts


def test_slow_pictures_may_be_far_apart():
    line = TimeLine(60.0)
    assert [line(number * 60.0) for number in range(5)] == [0, 60, 120, 180, 240]
    assert not line.cuts


@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=40), st.sampled_from([1 / 240, STEP, 2.0]))
@settings(max_examples=100)
def test_time_never_goes_back_nor_stands_still_for_longer_than_a_pause(stamps, step):
    line = TimeLine(step)
    times = [line(stamp) for stamp in stamps]
    assert times[0] == 0
    for before, now in zip(times, times[1:], strict=False):
        assert 0 <= now - before <= max_pause(step) + step * len(stamps) + 1e-6
    assert len(line.cuts) < len(stamps)
    assert all(cut.time_s in times for cut in line.cuts)

"""Frame rate of a video: from its time stamps if the header is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

TOO_CLOSE = 0.25  # of the median step: shorter steps are ignored
PAUSE = 20  # of the typical step: longer steps are ignored
LOST, REPEATED = 1.0, 0.05  # cost of a picture without a frame of its own, and of a frame without a picture
EXACT = 1e-9  # s; shorter steps are no steps
COMMON_RATES = [
    *(Fraction(rate) for rate in (30, 25, 24, 60, 50, 15, 10, 120, 240)),
    *(Fraction(rate * 1000, 1001) for rate in (30, 24, 60, 120, 240)),
    *(Fraction(rate) for rate in range(1, 241)),
]


def best_rate(
    stretches: Sequence[np.ndarray], headers: Iterable[Fraction | None], unit_s: float, max_fps: float
) -> float | None:
    """Return the rate in pictures per second that loses and repeats the fewest pictures.

    A rate from the header is used if it fits the time stamps. Otherwise the rate is measured from the time stamps: most
    steps between them are integer multiples of 1 / rate. A header does not fit if it states the average rate of a
    recording with pauses, or only the resolution of the time stamps.

    Args:
        stretches: Presentation times, s: one ascending array (n,) for each part of the video without jumps.
        headers: Rates that the file states.
        unit_s: Resolution of the time stamps, s.
        max_fps: Highest rate to return.

    Returns:
        The rate; None if there are fewer than two stamps, or their rate exceeds ``max_fps``.
    """
    steps = np.concatenate([np.diff(stretch) for stretch in stretches]) if stretches else np.zeros(0)
    steps = steps[steps > EXACT]
    if not len(steps):
        return None
    steps = steps[steps >= TOO_CLOSE * np.median(steps)]
    measured = [_measured(steps, quantile, unit_s) for quantile in (0.5, 0.25, 0.1)]
    stated = [float(rate) for rate in headers if rate]
    rates = [rate for rate in (*stated, *measured) if 0 < rate <= max_fps]
    if min(measured) > max_fps or not rates:
        return None
    costs = [_cost(rate, stretches) for rate in rates]
    return rates[int(np.argmin(costs))]  # the first of the best: the header's rate is preferred


def _measured(steps: np.ndarray, quantile: float, unit_s: float) -> float:
    """Return the rate for which most steps (n,) s, starting from a quantile of them, are integer multiples of 1 / rate.

    The result is one of :data:`COMMON_RATES` if one is within the resolution ``unit_s`` of the time stamps.
    """
    step = float(np.quantile(steps, quantile))
    for _ in range(3):
        counted = steps[steps <= PAUSE * step]
        ticks = np.maximum(np.rint(counted / step), 1)
        step = float(counted.sum() / ticks.sum())
    tolerance = unit_s / float(counted.sum()) + EXACT
    return next((float(rate) for rate in COMMON_RATES if abs(float(rate) * step - 1) <= tolerance), 1 / step)


def _cost(rate: float, stretches: Sequence[np.ndarray]) -> float:
    """Return the weighted shares of lost pictures and of repeated frames if a video is resampled to a rate."""
    pictures = ticks = shown = 0
    for stretch in stretches:
        numbers = np.rint((stretch - stretch[0]) * rate)
        pictures += len(stretch)
        ticks += int(numbers[-1]) + 1
        shown += len(np.unique(numbers))
    return round(LOST * (pictures - shown) / pictures + REPEATED * (ticks - shown) / ticks, 9)

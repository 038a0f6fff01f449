"""How many pictures a second a video has: by its time stamps, where its header is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

TOO_CLOSE = 0.25  # of the usual step: two stamps that are closer are no rate
PAUSE = 20  # of the usual step: a longer one tells nothing about the rate
LOST, REPEATED = 1.0, 0.05  # what a picture that has no frame of its own costs, and a frame that has no picture
EXACT = 1e-9
COMMON_RATES = [
    *(Fraction(rate) for rate in (30, 25, 24, 60, 50, 15, 10, 120, 240)),
    *(Fraction(rate * 1000, 1001) for rate in (30, 24, 60, 120, 240)),
    *(Fraction(rate) for rate in range(1, 241)),
]


def best_rate(
    stretches: Sequence[np.ndarray], headers: Iterable[Fraction | None], unit_s: float, max_fps: float
) -> float | None:
    """Rate in pictures a second at which the fewest pictures are lost and the fewest repeated.

    A header's rate that fits the time stamps is taken as it is. Else, as with average rates of recordings that pause
    and with rates that only say how fine the time stamps are, the stamps decide: a rate that most steps are whole
    multiples of.

    Args:
        stretches: (n,) s, ascending: when pictures are shown, each stretch without jumps.
        headers: Rates that the file states.
        unit_s: Resolution of the stamps, s.
        max_fps: Highest rate.

    Returns:
        The rate; None where there are no two stamps, or only such as are closer than ``max_fps``.
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
    return rates[int(np.argmin(costs))]  # the first of the best: a header's, where it fits


def _measured(steps: np.ndarray, quantile: float, unit_s: float) -> float:
    """Rate of which the steps near and over a quantile are whole multiples."""
    step = float(np.quantile(steps, quantile))
    for _ in range(3):
        counted = steps[steps <= PAUSE * step]
        ticks = np.maximum(np.rint(counted / step), 1)
        step = float(counted.sum() / ticks.sum())
    tolerance = unit_s / float(counted.sum()) + EXACT
    return next((float(rate) for rate in COMMON_RATES if abs(float(rate) * step - 1) <= tolerance), 1 / step)


def _cost(rate: float, stretches: Sequence[np.ndarray]) -> float:
    pictures = ticks = shown = 0
    for stretch in stretches:
        numbers = np.rint((stretch - stretch[0]) * rate)
        pictures += len(stretch)
        ticks += int(numbers[-1]) + 1
        shown += len(np.unique(numbers))
    return round(LOST * (pictures - shown) / pictures + REPEATED * (ticks - shown) / ticks, 9)

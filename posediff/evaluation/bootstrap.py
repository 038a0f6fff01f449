"""Paired bootstrap over videos for the difference of results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Difference:
    """A measure of one result minus that of another, in the measure's unit.

    Attributes:
        value: Difference on all videos.
        low, high: Bounds of the interval that contains 95 % of the draws.
    """

    value: float
    low: float
    high: float


def paired_bootstrap(
    number: int,
    measure: Callable[[np.ndarray], np.ndarray],
    draws: int = 1000,
    seed: int = 0,
    unit: str = 'sequences',
) -> list[list[Difference]]:
    """Compare results on the same videos by a paired bootstrap (Efron and Tibshirani, 1993).

    Each draw samples videos with replacement, as many as there are, and measures all results on them. Frames and
    persons of one video are too correlated to be sampled individually. The interval does not cover the variation
    between training runs.

    Args:
        number: Number of videos.
        measure: Returns (E, G): G measures of E results on the videos with the given indices, (number,), which may
            occur several times. The first result is the baseline.
        draws: Number of draws, at least 100.
        seed: Seed of the draws.
        unit: What is sampled, for messages.

    Returns:
        For each result after the baseline, the differences of its G measures; NaN where a measure is NaN.

    Raises:
        ValueError: ``number`` is below two, or ``draws`` is below 100.
    """
    if number < 2:
        raise ValueError(f'a bootstrap needs two {unit} or more, got {number}')
    if draws < 100:
        raise ValueError(f'draws must be at least 100, got {draws}')
    generator = np.random.default_rng(seed)
    drawn = np.array([measure(generator.integers(number, size=number)) for _ in range(draws)])
    exact = measure(np.arange(number))
    low, high = np.quantile(drawn[:, 1:] - drawn[:, :1], [0.025, 0.975], axis=0)
    values = exact[1:] - exact[:1]
    return [
        [Difference(*map(float, of_measure)) for of_measure in zip(*of_result, strict=True)]
        for of_result in zip(values, low, high, strict=True)
    ]

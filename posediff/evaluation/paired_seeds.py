"""Paired differences of two models over training seeds, and the verdict on a claim that one is better."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

HOLDS, REFUTED, NOT_SETTLED = 'holds', 'does not hold', 'not settled'


@dataclass(frozen=True)
class PairedDifference:
    """Difference of an error between two models that were trained with the same seeds.

    Attributes:
        mean: Mean over seeds, in the unit of the error; negative if the first model is better.
        standard_error: Standard deviation over seeds with n - 1 in the denominator, divided by the root of n; NaN with
            fewer than two seeds.
        seeds: n, the number of seeds.
    """

    mean: float
    standard_error: float
    seeds: int

    @property
    def verdict(self) -> str:
        """``'holds'`` if mean < -2 · standard_error, ``'does not hold'`` if mean > 2 · it, else ``'not settled'``."""
        if self.seeds < 2 or abs(self.mean) <= 2 * self.standard_error:
            return NOT_SETTLED
        return HOLDS if self.mean < 0 else REFUTED


def paired_difference(first: Sequence[float], second: Sequence[float], margin: float = 0.0) -> PairedDifference:
    """Return the difference first - (1 + margin) · second.

    Args:
        first: Error of the model that is claimed to be better, one value per seed.
        second: Error of the other model, for the same seeds in the same order.
        margin: Fraction by which the first may be worse, for claims that it is competitive.

    Raises:
        ValueError: There is no seed, the numbers of values differ, a value is not finite, or the margin is negative.
    """
    if len(first) != len(second) or not len(first):
        raise ValueError(f'paired differences need values of the same seeds, got {len(first)} and {len(second)}')
    if margin < 0:
        raise ValueError(f'margin must not be negative, got {margin}')
    differences = np.asarray(first, dtype=float) - (1 + margin) * np.asarray(second, dtype=float)
    if not np.isfinite(differences).all():
        raise ValueError(f'paired differences need finite values, got {list(first)} and {list(second)}')
    count = len(differences)
    error = float(differences.std(ddof=1) / math.sqrt(count)) if count > 1 else math.nan
    return PairedDifference(float(differences.mean()), error, count)


def combined_verdict(verdicts: Iterable[str]) -> str:
    """Return the verdict on a claim with several parts: it holds if all do, and does not hold if one does not.

    Raises:
        ValueError: There is no verdict.
    """
    found = set(verdicts)
    if not found:
        raise ValueError('a claim needs at least one comparison')
    if REFUTED in found:
        return REFUTED
    return HOLDS if found == {HOLDS} else NOT_SETTLED

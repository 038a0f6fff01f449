"""Histograms of spread and error whose sums can be added over samples and ranks, and the curves drawn from them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

EDGES = 2.0 ** (np.arange(41) / 4)
"""Edges of the bins, 1 to 1024 mm in quarters of an octave; below and above is one bin more."""

NUM_BINS = len(EDGES) + 1


def binned_sums(values: Tensor, weights: Tensor, rows: Tensor, num_rows: int) -> Tensor:
    """Return sums of weights per row and bin.

    Args:
        values: (S,) mm, sorted into the bins of :data:`EDGES`.
        weights: (S, W).
        rows: (S,) int64, the row of each value, 0 … ``num_rows`` - 1.
        num_rows: R.

    Returns:
        (R, bins, W) float64.
    """
    bins = torch.bucketize(values, torch.as_tensor(EDGES, device=values.device), right=True)
    sums = weights.new_zeros(num_rows * NUM_BINS, weights.shape[-1], dtype=torch.float64)
    sums.index_add_(0, rows * NUM_BINS + bins, weights.double())
    return sums.reshape(num_rows, NUM_BINS, weights.shape[-1])


def sparsification(counts: np.ndarray, errors: np.ndarray) -> list[dict[str, float]]:
    """Return the mean error of the points that remain when the least certain ones are left out.

    Args:
        counts: (bins,) number of points, bins in increasing order of what the points are sorted by: the spread or, for
            the best possible curve, the error.
        errors: (bins,) sum of the points' errors, mm.

    Returns:
        Per bin with points: ``kept``, the share of points up to it, 0 … 1, and ``error``, their mean error.
    """
    used = counts > 0
    number, error = counts[used].cumsum(), errors[used].cumsum()
    return [
        {'kept': float(share), 'error': float(mean)}
        for share, mean in zip(number / max(counts.sum(), 1), error / number, strict=True)
    ]


def root_mean_squares(sums: np.ndarray) -> list[dict[str, float]]:
    """Return the error of points of similar spread.

    Args:
        sums: (bins, 3) number of points, sum of their squared spreads and of their squared errors, mm².

    Returns:
        Per bin with points: ``count``, ``spread`` and ``error``, root mean squares in mm.
    """
    return [
        {'count': int(count), 'spread': float(np.sqrt(spread / count)), 'error': float(np.sqrt(error / count))}
        for count, spread, error in sums
        if count
    ]

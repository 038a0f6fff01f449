"""Pictures of calibration: reliability, error against spread, sparsification and ranks; a row per file of a metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from posediff.evaluation.spread_histogram import sparsification
from posediff.fileio.atomic_files import atomic_write

COLORS = {'all': '#444444', 'seen': '#0072b2', 'hidden': '#d55e00'}
GUIDE = {'color': '#999999', 'linewidth': 1}
FEWEST = 30
"""Points of the smallest bin, and of the smallest rest in a sparsification, that is drawn."""


def save_calibration(path: str | Path, documents: Mapping[str, Mapping[str, Any]], dpi: int = 120) -> None:
    """Write a PNG with a row of panels per document: four for a lifter, two or three for 2D keypoints.

    Args:
        path: Output file.
        documents: Title → content of the ``out_file`` of :class:`posediff.evaluation.metrics.LiftingMetric` or of
            :class:`posediff.evaluation.metrics.KeypointPCK`.
        dpi: Resolution.

    Raises:
        ValueError: A document is of neither metric, or lacks a field; the message has its title.
    """
    panels = [_num_panels(document) for document in documents.values()]
    figure = Figure(figsize=(4.25 * max(panels), 4.3 * len(documents)), dpi=dpi, layout='constrained')
    rows = figure.subfigures(len(documents), 1, squeeze=False)[:, 0]
    for row, number, (title, document) in zip(rows, panels, documents.items(), strict=True):
        axes = row.subplots(1, number)
        try:
            if 'calibration' in document:
                _draw_hypotheses(axes, document['calibration'])
            elif 'scores' in document:
                _draw_scores(axes, document['scores'])
            else:
                raise ValueError(f'{title} has neither "calibration" of LiftingMetric nor "scores" of KeypointPCK')
        except KeyError as error:
            raise ValueError(f'{title} lacks {error}: write it anew with this version of the metric') from error
        axes[0].set_title(f'{title}\n{axes[0].get_title()}', fontsize=10)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format='png')


def _num_panels(document: Mapping[str, Any]) -> int:
    if 'calibration' in document:
        return 4
    return 2 if document.get('scores', {}).get('spread') is None else 3


def _draw_hypotheses(axes: np.ndarray, calibration: Mapping[str, Any]) -> None:
    """Draw the four panels of a lifter; seen and hidden joints apart if they are known."""
    number, kinds = calibration['num_hypotheses'], calibration['kinds']
    shown = {kind: row for kind, row in kinds.items() if kind != 'all'} or kinds
    reliability, spread, sparse, ranks = axes
    levels = calibration['probabilities']
    reliability.plot([0, 1], [0, 1], **GUIDE)
    reliability.plot(levels, calibration['perfect_coverage'], '--', label=f'perfect, M = {number}', **GUIDE)
    drawn: list[float] = []
    for kind, row in shown.items():
        color, ratio = COLORS[kind], row['error_to_spread']
        reliability.plot(levels, row['coverage'], '.-', color=color, label=f'{kind} ({row["count"]} joints)')
        bins = [one for one in row['spread_bins'] if one['count'] >= FEWEST and one['spread'] > 0 and one['error'] > 0]
        drawn += _columns(bins, 'spread')[0]
        claimed = 'no spread' if ratio is None else f'error {ratio:.2f} times what it claims'
        spread.plot(*_columns(bins, 'spread', 'error'), '.-', color=color, label=f'{kind}: {claimed}')
        for name, style, label in (('sparsification', '.-', kind), ('sparsification_oracle', ':', None)):
            _draw_sparsification(sparse, row[name], row['count'], style, color, label)
        shares = np.array(row['depth_ranks']) / row['count'] * (number + 1)
        ranks.stairs(shares, np.arange(number + 2) - 0.5, color=color, label=kind)
    if drawn:
        ends = np.array([min(drawn), max(drawn)])
        spread.plot(ends, math.sqrt(1 + 1 / number) * ends, label='perfect', **GUIDE)
        spread.set(xscale='log', yscale='log')
    _label(reliability, 'Reliability of hypotheses', 'share of hypotheses in the sphere', 'share of truths in it')
    _label(spread, f'Error against spread, bins of {FEWEST} or more', 'spread, RMS, mm', 'error of the mean, RMS, mm')
    _label(sparse, 'Sparsification by spread (dotted: by error)', 'share of joints kept', 'mean error, mm')
    ranks.axhline(1, **GUIDE)
    _label(ranks, 'Rank of the true depth', f'hypotheses nearer to the camera, of {number}', 'frequency / expected')


def _draw_scores(axes: np.ndarray, scores: Mapping[str, Any]) -> None:
    """Draw the panels of a 2D pose estimator's keypoint scores, and of the spread of its hypotheses if it has some."""
    reliability, *spread, sparse = axes
    color, unit = COLORS['all'], f'{scores["normalizer"]} lengths'
    reliability.plot([0, 1], [0, 1], **GUIDE)
    bins = [one for one in scores['bins'] if one['count'] >= FEWEST]
    count = sum(one['count'] for one in scores['bins'])
    reliability.plot(*_columns(bins, 'score', 'accuracy'), '.-', color=color, label=f'{count} keypoints')
    title = f'Reliability of scores, bins of {FEWEST} or more'
    _label(reliability, title, 'mean score', f'share correct at {scores["threshold"]:g}')
    for panel in spread:
        panel.plot(*_columns(scores['spread']['bins'], 'spread', 'error'), '.-', color=color)
        _label(panel, 'Error against spread', f'spread, mean, {unit}', f'error, mean, {unit}')
    best_first = scores['errors'][::-1]
    counts, errors = (np.array(column, float) for column in _columns(best_first, 'count', 'error'))
    _draw_sparsification(sparse, sparsification(counts, counts * errors), counts.sum(), '.-', color, 'by score')
    _label(sparse, 'Sparsification by score', 'share of keypoints kept', f'mean error, {unit}')


def _draw_sparsification(
    ax: Axes, curve: list[dict[str, float]], count: float, style: str, color: str, label: str | None
) -> None:
    enough = [point for point in curve if point['kept'] * count >= FEWEST]
    ax.plot(*_columns(enough, 'kept', 'error'), style, color=color, label=label)


def _columns(rows: list[dict[str, float]], *names: str) -> list[list[float]]:
    return [[row[name] for row in rows] for name in names]


def _label(ax: Axes, title: str, x: str, y: str) -> None:
    ax.set_title(title, fontsize=10)
    ax.set_xlabel(x, fontsize=9)
    ax.set_ylabel(y, fontsize=9)
    ax.grid(alpha=0.25)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize=8)

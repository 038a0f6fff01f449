"""Matrices of training pattern against test pattern, in the style of DiffHPE's Figures 3 to 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from posediff.fileio.atomic_files import atomic_write


def save_matrices(
    path: str | Path,
    measures: Mapping[str, Mapping[str, np.ndarray]],
    rows: Mapping[str, Sequence[str]],
    columns: Sequence[str],
    dpi: int = 120,
) -> None:
    """Write a PNG with one row of panels per measure: one matrix per method and, for two methods, their difference.

    Args:
        path: Output file.
        measures: Measure → method → (R, C), mm, lower is better; NaN is blank. All measures have the same methods. The
            difference is the first method's matrix minus the second's: positive (blue) where the second is better.
        rows: Method → names of its R training patterns. The difference covers the patterns common to both.
        columns: Names of the C test patterns.
    """
    methods = list(next(iter(measures.values())))
    panels = len(methods) + (len(methods) == 2)
    tall = max(len(names) for names in rows.values())
    figure = Figure(
        figsize=(1.5 + panels * (1.2 + 0.85 * len(columns)), len(measures) * (1.5 + 0.5 * tall)),
        dpi=dpi,
        layout='constrained',
    )
    axes = figure.subplots(len(measures), panels, squeeze=False)
    for line, (measure, matrices) in zip(axes, measures.items(), strict=True):
        values = np.concatenate([matrix.ravel() for matrix in matrices.values()])
        limits = {'vmin': np.nanmin(values), 'vmax': np.nanmax(values)}
        for ax, method in zip(line, methods, strict=False):
            _draw_matrix(ax, matrices[method], rows[method], columns, f'{method}\n{measure}', cmap='YlOrBr', **limits)
        if len(methods) == 2:
            first, second = methods
            shared = [name for name in rows[first] if name in rows[second]]
            difference = np.stack(
                [
                    matrices[first][rows[first].index(name)] - matrices[second][rows[second].index(name)]
                    for name in shared
                ]
            )
            span = max(float(np.nanmax(np.abs(difference))), 1e-9)
            norm = TwoSlopeNorm(0, -span, span)
            title = f'{first} - {second}\n{measure}; blue: {second} better'
            _draw_matrix(line[-1], difference, shared, columns, title, cmap='RdBu', norm=norm)
    with atomic_write(path) as temporary:
        figure.savefig(temporary)


def _draw_matrix(
    ax: Axes, matrix: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str, **style: object
) -> None:
    image = ax.imshow(matrix, aspect='auto', **style)  # type: ignore[arg-type]
    ax.set_xticks(range(len(columns)), [_wrapped(name) for name in columns], fontsize=8)
    ax.set_yticks(range(len(rows)), [_wrapped(name) for name in rows], fontsize=8)
    ax.set_xlabel('test pattern', fontsize=9)
    ax.set_ylabel('training pattern', fontsize=9)
    ax.set_title(title, fontsize=10)
    for (row, column), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            ax.text(
                column,
                row,
                f'{round(value, 1) + 0:.1f}',
                ha='center',
                va='center',
                fontsize=9,
                color='white' if dark else 'black',
            )


def _wrapped(name: str) -> str:
    return fill(name.replace('_', ' '), 12)

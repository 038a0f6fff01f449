"""Compare the PCK of two models on the same clips: differences with 95 % intervals.

    posediff benchmark pck A.json B.json

A.json and B.json are out_files of the metric ``KeypointPCK``. The intervals come from a paired bootstrap over clips:
they reflect the choice of clips, not the variation between training runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors, positive
from posediff.evaluation.bootstrap import Difference, paired_bootstrap
from posediff.evaluation.pck_counts import ClipCounts, clip_order, read_counts, require_comparable
from posediff.evaluation.tables import markdown_table

DIGITS = {'OKS': 3, 'jitter': 4}
"""Decimals of the measures that are not percentages; those have one."""


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('first', type=Path, metavar='A.json', help='out_file of the metric KeypointPCK')
    parser.add_argument('second', type=Path, metavar='B.json', help='the same of another model')
    parser.add_argument(
        '--samples', type=positive, default=1000, metavar='N', help='bootstrap samples; default: %(default)s'
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of the bootstrap; default: %(default)s')
    return parser.parse_args(argv)


def compare(first: ClipCounts, second: ClipCounts, samples: int, seed: int) -> dict[str, Difference]:
    """Return second minus first for each measure of the first; NaN where the second lacks it.

    Args:
        first, second: Comparable results, see :func:`posediff.evaluation.pck_counts.require_comparable`.
        samples, seed: Number of bootstrap samples, at least 100, and their seed.
    """
    order = clip_order(first, second)
    names = [name for name, value in first.measures().items() if value is not None]

    def measure(clips: np.ndarray) -> np.ndarray:
        both = first.measures(clips), second.measures(order[clips])
        return np.array([[np.nan if one[name] is None else one[name] for name in names] for one in both], dtype=float)

    (differences,) = paired_bootstrap(len(first.clips), measure, samples, seed, unit='clips')
    return dict(zip(names, differences, strict=True))


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        paths = [str(args.first), str(args.second)]
        first, second = (read_counts(path) for path in paths)
        require_comparable(first, second, paths)
        table = comparison(first, second, paths, args.samples, args.seed)
    print(table)


def comparison(first: ClipCounts, second: ClipCounts, names: Sequence[str], samples: int = 1000, seed: int = 0) -> str:
    """Return a table of the measures of two results, their differences and intervals.

    Args:
        first, second, samples, seed: See :func:`compare`.
        names: Names of the two results.
    """
    differences = compare(first, second, samples, seed)
    values = first.measures(), second.measures()
    rows = [
        [name, *(_number(one[name], DIGITS.get(name, 1)) for one in values), *_cells(difference, DIGITS.get(name, 1))]
        for name, difference in differences.items()
    ]
    table = markdown_table(['', *names, 'difference', '95 % interval'], rows)
    return f'{table}\n\nPCK in %, mean over joints. {len(first.clips)} clips, {samples} bootstrap samples.'


def _cells(difference: Difference, digits: int) -> list[str | None]:
    """Return the difference and its interval as text; None where they are not known."""
    low, high = (_number(bound, digits, '+') for bound in (difference.low, difference.high))
    interval = None if low is None or high is None else f'{low} to {high}'
    return [_number(difference.value, digits, '+'), interval]


def _number(value: float | None, digits: int, sign: str = '') -> str | None:
    return None if value is None or np.isnan(value) else f'{value:{sign}.{digits}f}'

"""Tables and verdicts of ``posediff benchmark lifting``, from the results of all finished tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posediff.cli.benchmark.lifting_grid import MEASURES, MODELS, PATTERNS, Cell
from posediff.evaluation.paired_seeds import PairedDifference, combined_verdict, paired_difference
from posediff.evaluation.tables import markdown_table

Results = Mapping[Cell, Mapping[str, Mapping[str, float]]]
"""Training → test pattern → measures in mm."""

TITLES = {'mpjpe': 'MPJPE', 'p_mpjpe': 'P-MPJPE', 'symmetry_gap': 'symmetry gap', 'segment_std': 'segment std'}
COHERENCE = ('symmetry_gap', 'segment_std')
OCCLUDED = tuple(pattern for pattern in PATTERNS if pattern != 'none')

Pairs = tuple[tuple[str, str], ...]
"""Patterns of training and of test."""

NONE: Pairs = (('none', 'none'),)
SAME: Pairs = tuple((pattern, pattern) for pattern in OCCLUDED)
ALL: Pairs = tuple((trained, tested) for trained in PATTERNS for tested in PATTERNS)
OTHER: Pairs = tuple((trained, tested) for trained, tested in ALL if trained != tested)


@dataclass(frozen=True)
class Claim:
    """A claim that a model has a smaller error than others.

    Attributes:
        text: The claim.
        first: Model with the smaller error.
        others: Models to compare with.
        measures: Errors to compare.
        pairs: Patterns of training and test; the differences of a seed are averaged over them.
        margin: Fraction by which the first may be worse.
        each: Judge every pair by itself instead of their mean.
    """

    text: str
    first: str
    others: tuple[str, ...]
    measures: tuple[str, ...]
    pairs: Pairs
    margin: float = 0.0
    each: bool = False


WRAPPER, VANILLA = 'diffhpe-wrapper', 'diffhpe-wrapper-vanilla'
CLAIMS = (
    Claim('DiffHPE-Wrapper has a lower MPJPE than MixSTE', WRAPPER, ('mixste',), ('mpjpe',), NONE),
    Claim('DiffHPE-2D is the most coherent of the three', 'diffhpe-2d', ('mixste', WRAPPER), COHERENCE, NONE),
    Claim('DiffHPE-Wrapper is more coherent than MixSTE', WRAPPER, ('mixste',), COHERENCE, NONE),
    Claim(
        'under occlusion, DiffHPE-Wrapper beats MixSTE on every pattern when both are trained with it',
        WRAPPER, ('mixste',), ('mpjpe',), SAME, each=True,
    ),
    Claim(
        'DiffHPE-Wrapper on a lifter trained without occlusion is competitive with MixSTE trained with it, except for '
        'random', VANILLA, ('mixste',), ('mpjpe',), SAME[1:], margin=0.02, each=True,
    ),
    Claim('DiffHPE-Wrapper is more robust to patterns not trained with', WRAPPER, ('mixste',), ('mpjpe',), OTHER),
    Claim(
        'tested on random after training on another pattern, MixSTE is better', 'mixste', (WRAPPER,), ('mpjpe',),
        tuple(pair for pair in OTHER if pair[1] == 'random'),
    ),
    Claim(
        'DiffHPE-Wrapper is more coherent than MixSTE across all patterns of training and test',
        WRAPPER, ('mixste',), COHERENCE, ALL,
    ),
)  # fmt: skip


def errors_by_seed(results: Results, model: str, measure: str, pairs: Pairs) -> dict[int, float]:
    """Return the error by seed, averaged over pairs of patterns, in mm; seeds with a missing test are left out."""
    found = {}
    for seed in sorted({cell.seed for cell in results}):
        tests = [results.get(Cell(model, trained, seed), {}).get(tested) for trained, tested in pairs]
        if all(test is not None for test in tests):
            found[seed] = float(np.mean([test[measure] for test in tests if test is not None]))
    return found


def compare(results: Results, claim: Claim, other: str, measure: str, pairs: Pairs) -> PairedDifference | None:
    """Return the paired difference of a claim; None if no seed has all its tests."""
    first, second = (errors_by_seed(results, model, measure, pairs) for model in (claim.first, other))
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return None
    return paired_difference([first[seed] for seed in seeds], [second[seed] for seed in seeds], claim.margin)


def verdict_tables(results: Results) -> list[str]:
    """Return a table with the verdict on every claim, and one with the comparisons it is made of."""
    verdicts: list[list[str | float | None]] = []
    parts: list[list[str | float | None]] = []
    for number, claim in enumerate(CLAIMS, 1):
        found = []
        for pairs in [(pair,) for pair in claim.pairs] if claim.each else [claim.pairs]:
            where = ' → '.join(pairs[0]) if len(pairs) == 1 else f'mean of {len(pairs)} pairs'
            for other in claim.others:
                for measure in claim.measures:
                    difference = compare(results, claim, other, measure, pairs)
                    found.append('not settled' if difference is None else difference.verdict)
                    times = f'{1 + claim.margin:g} × ' if claim.margin else ''
                    title = f'{number}: {MODELS[claim.first]} − {times}{MODELS[other]}'
                    row: list[str | float | None] = [title, where, TITLES[measure], None, None, '0', found[-1]]
                    if difference is not None:
                        row[3:6] = [difference.mean, difference.standard_error, str(difference.seeds)]
                        row[4] = None if difference.seeds < 2 else difference.standard_error
                    parts.append(row)
        verdicts.append([f'{number}: {claim.text}', combined_verdict(found)])
    header = ['difference', 'trained → tested', 'measure', 'mean, mm', 'standard error, mm', 'seeds', 'verdict']
    return [
        '### Verdicts\n\n' + markdown_table(['claim', 'verdict'], verdicts),
        '### Differences, negative if the claim holds\n\n' + markdown_table(header, parts),
    ]


def accuracy_table(results: Results) -> str:
    """Return the table of models tested with the pattern of their training, mean ± deviation over seeds."""
    rows = []
    for model in MODELS:
        for pattern in PATTERNS:
            values = {measure: _values(results, model, pattern, pattern, measure) for measure in MEASURES}
            if values['mpjpe']:
                cells = [_mean_and_deviation(values[measure]) for measure in MEASURES]
                rows.append([MODELS[model], pattern, *cells, str(len(values['mpjpe']))])
    titles = [f'{TITLES[measure]}, mm' for measure in MEASURES]
    header = ['model', 'occlusion of training and test', *titles, 'seeds']
    return '### Trained and tested with the same occlusion\n\n' + markdown_table(header, rows)


def matrix_tables(results: Results, patterns: Sequence[str]) -> list[str]:
    """Return one table per measure: models and patterns of training in rows, patterns of test in columns."""
    tables = []
    for measure in MEASURES:
        rows = [
            [
                f'{MODELS[model]}, {trained}',
                *(_mean_and_deviation(_values(results, model, trained, tested, measure)) for tested in patterns),
            ]
            for model in MODELS
            for trained in PATTERNS
            if any(_values(results, model, trained, tested, measure) for tested in patterns)
        ]
        table = markdown_table(['trained on \\ tested on', *patterns], rows)
        tables.append(f'### {TITLES[measure]} on every pattern, mm\n\n{table}')
    return tables


def _values(results: Results, model: str, trained: str, tested: str, measure: str) -> list[float]:
    return list(errors_by_seed(results, model, measure, ((trained, tested),)).values())


def _mean_and_deviation(values: Sequence[float]) -> str | None:
    """Return the mean and, of two or more, the standard deviation with n - 1."""
    if not values:
        return None
    deviation = f' ± {np.std(values, ddof=1):.1f}' if len(values) > 1 else ''
    return f'{np.mean(values):.1f}{deviation}'

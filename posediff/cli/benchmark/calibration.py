"""Draw how well models know their errors, from the files that metrics write.

    posediff test CONFIG CHECKPOINT --cfg-options test_evaluator.out_file=out/lifter.json
    posediff benchmark calibration out/lifter.json --out out/calibration.png

FILE is the out_file of LiftingMetric, for lifters with several hypotheses, or of KeypointPCK, for 2D keypoints. The
picture has one row per file.

Lifters: share of truths inside the spheres that hold a share of the hypotheses, error against spread, mean error of the
joints that remain when the least certain are left out, and ranks of the true depth among the hypotheses; joints that
the input had and joints that were hidden apart. Below the diagonal, above the line, or with ranks in U shape, the
hypotheses are too narrow. 2D keypoints: share of correct keypoints by score, error against the spread of hypotheses,
and mean error of the keypoints with the highest scores.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.evaluation.tables import markdown_table
from posediff.visualization.calibration import save_calibration

MEASURES = ('error_to_spread', 'coverage_50', 'coverage_90', 'ece', 'energy_score')
FLOORS = {'coverage_50': 'coverage_50_perfect', 'coverage_90': 'coverage_90_perfect', 'ece': 'ece_floor'}


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('files', type=Path, nargs='+', metavar='FILE', help='out_file of LiftingMetric or KeypointPCK')
    parser.add_argument(
        '--out', type=Path, default=Path('out/calibration.png'), metavar='FILE', help='PNG file; default: %(default)s'
    )
    return parser.parse_args(argv)


def read_document(path: Path) -> dict[str, Any]:
    """Read the file of a metric.

    Raises:
        ValueError: It is not a JSON object.
    """
    try:
        document = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f'{path} is not JSON: {error}') from None
    if not isinstance(document, dict):
        raise ValueError(f'{path} is not the out_file of a metric: it holds a {type(document).__name__}')
    return document


def as_rows(name: str, metrics: dict[str, float | None]) -> list[list[str | float | None]]:
    """Return rows of the table of a lifter's measures: per kind of joints, and for a perfect sampler."""
    rows: list[list[str | float | None]] = []
    for kind, suffix in (('all', ''), ('seen', '_seen'), ('hidden', '_hidden')):
        if f'ece{suffix}' in metrics:
            rows.append([name, kind, *(metrics[f'{measure}{suffix}'] for measure in MEASURES)])
    perfect = {'error_to_spread': 1.0} | {measure: metrics[floor] for measure, floor in FLOORS.items()}
    return [*rows, [name, 'perfect sampler', *(perfect.get(measure) for measure in MEASURES)]]


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        documents = {str(path): read_document(path) for path in args.files}
        args.out.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            row
            for name, document in documents.items()
            if 'calibration' in document
            for row in as_rows(name, document['metrics'])
        ]
        save_calibration(args.out, documents)
    if rows:
        print(markdown_table(['file', 'joints', *MEASURES], rows, digits=3))
    print(f'wrote {args.out}')

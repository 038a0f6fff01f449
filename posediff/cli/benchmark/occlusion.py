r"""Evaluate models trained with one occlusion pattern on every pattern, as in Figures 3 to 5 of DiffHPE.

    posediff benchmark occlusion \
        --method MixSTE none=CONFIG:CHECKPOINT random=CONFIG:CHECKPOINT \
        --method DiffHPE-Wrapper none=CONFIG:CHECKPOINT random=CONFIG:CHECKPOINT

CONFIG is a file or the name of a packaged config. Writes occlusion_matrix.json, .md and .png: matrices training pattern
× test pattern of MPJPE, symmetry gap and segment length std; for two methods also their difference. Test masks depend
only on the dataset's seed, so they are the same for all models.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from posediff.cli.arguments import command_parser
from posediff.cli.provenance import provenance
from posediff.datasets.transforms.occlusion import PATTERNS
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.engine.config_files import find_config
from posediff.engine.evaluation import build_test_dataset, build_test_metric, evaluate_model, set_sampling
from posediff.engine.model_building import init_model
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.visualization.matrices import save_matrices

MEASURES = {'mpjpe': 'MPJPE, mm', 'symmetry_gap': 'symmetry gap, mm', 'segment_std': 'segment std, mm'}
TEST_PATTERNS = tuple(pattern for pattern in PATTERNS if pattern != 'all')

Models = dict[str, tuple[str, str]]
"""Training pattern → config, checkpoint."""


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument(
        '--method', nargs='+', action='append', required=True, metavar=('NAME', 'PATTERN=CONFIG:CHECKPOINT'),
        help='a method and its models by training pattern; may be repeated, the first is the baseline',
    )  # fmt: skip
    parser.add_argument(
        '--test-patterns',
        nargs='+',
        choices=PATTERNS,
        default=list(TEST_PATTERNS),
        help='occlusion patterns to evaluate on; default: %(default)s',
    )
    parser.add_argument(
        '--num-hypotheses',
        type=positive,
        metavar='M',
        help='number of poses sampled by models with diffusion; default: that of the config',
    )
    parser.add_argument(
        '--num-inference-steps',
        type=positive,
        metavar='N',
        help='denoiser evaluations per hypothesis; default: that of the config',
    )
    parser.add_argument(
        '--max-items', type=positive, metavar='N', help='evaluate N windows spread over the test set; default: all'
    )
    parser.add_argument(
        '--batch-size', type=positive, default=32, metavar='N', help='clips per batch; default: %(default)s'
    )
    add_device(parser)
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/occlusion_matrix'),
        metavar='DIR',
        help='folder for the results; default: %(default)s',
    )
    return parser.parse_args(argv)


def parse_methods(texts: Sequence[Sequence[str]]) -> dict[str, Models]:
    """Parse the values of ``--method``.

    Returns:
        Method → its models.

    Raises:
        ValueError: A method has no model, or a model is not written PATTERN=CONFIG:CHECKPOINT.
        FileNotFoundError: A file does not exist.
    """
    methods: dict[str, Models] = {}
    for name, *models in texts:
        if not models:
            raise ValueError(f'--method {name} has no model')
        methods[name] = {}
        for text in models:
            pattern, _, files = text.partition('=')
            config, _, checkpoint = files.partition(':')
            if not checkpoint:
                raise ValueError(f'--method {name}: {text!r} is not PATTERN=CONFIG:CHECKPOINT')
            try:
                find_config(config)
            except FileNotFoundError as error:
                raise FileNotFoundError(f'--method {name} {pattern}: {error}') from error
            if not Path(checkpoint).is_file():
                raise FileNotFoundError(f'--method {name} {pattern}: checkpoint {checkpoint} does not exist')
            methods[name][pattern] = (config, checkpoint)
    return methods


def measure_model(files: tuple[str, str], args: argparse.Namespace, label: str) -> dict[str, dict[str, float]]:
    """Evaluate one model and return test pattern → measures.

    Args:
        files: Config and checkpoint.
        args: Arguments of the command.
        label: Text of the progress bars.
    """
    model = init_model(*files, device=args.device)
    if model.denoiser is not None:
        set_sampling(model, args.num_hypotheses, args.num_inference_steps)
    metric = build_test_metric(model.cfg)
    found = {}
    for pattern in args.test_patterns:
        dataset = build_test_dataset(model.cfg, pattern, args.max_items)
        progress = partial(tqdm, desc=f'{label} on {pattern}', leave=False, disable=None)
        found[pattern] = evaluate_model(model, dataset, metric, args.batch_size, progress)
    return found


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        methods = parse_methods(args.method)
        results = {
            name: {pattern: measure_model(files, args, f'{name} {pattern}') for pattern, files in models.items()}
            for name, models in methods.items()
        }
    matrices = {
        title: {
            name: np.array([[cells[test][measure] for test in args.test_patterns] for cells in models.values()])
            for name, models in results.items()
        }
        for measure, title in MEASURES.items()
    }
    rows = {name: list(models) for name, models in results.items()}
    tables = as_markdown(matrices, rows, args.test_patterns)
    print(tables)
    with atomic_write(args.out / 'occlusion_matrix.md') as temporary:
        temporary.write_text(tables + '\n')
    with atomic_write(args.out / 'occlusion_matrix.json') as temporary:
        document = {**provenance(args), 'models': methods, 'units': 'mm', 'results': results}
        temporary.write_text(json.dumps(document, indent=1) + '\n')
    save_matrices(args.out / 'occlusion_matrix.png', matrices, rows, args.test_patterns)


def as_markdown(matrices: dict[str, dict[str, np.ndarray]], rows: dict[str, list[str]], columns: Sequence[str]) -> str:
    """Format one table per measure, with a row per method and training pattern."""
    blocks = []
    for title, by_method in matrices.items():
        lines: list[list[str | float]] = [
            [f'{method}, {pattern}', *map(float, values)]
            for method, matrix in by_method.items()
            for pattern, values in zip(rows[method], matrix, strict=True)
        ]
        blocks.append(f'### {title}\n\n' + markdown_table(['trained on \\ tested on', *columns], lines, digits=1))
    return '\n\n'.join(blocks)

"""Draw the activations of heatmap denoisers in each step, as in Figure 4 of DiffPose.

    posediff benchmark activations CONFIG CHECKPOINT [CONFIG CHECKPOINT …] --item 3 --steps 4

The input is one person of the first config's test set; all models get the same crop and noise.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import posediff
from posediff.cli.arguments import command_parser
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.engine.evaluation import build_test_dataset
from posediff.visualization.activations import record_activations, save_activations


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument(
        'models',
        nargs='+',
        metavar='CONFIG CHECKPOINT',
        help='one or more trained models; CONFIG is a file or the name of a packaged config',
    )
    parser.add_argument('--item', type=int, default=0, help='index of the person in the test set; default: %(default)s')
    parser.add_argument(
        '--num-inference-steps',
        '--steps',
        dest='steps',
        type=positive,
        default=4,
        metavar='N',
        help='denoiser evaluations; default: %(default)s',
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of the noise; default: %(default)s')
    add_device(parser)
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/decoder_activations.png'),
        metavar='FILE',
        help='image file to write; default: %(default)s',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        if len(args.models) % 2:
            raise ValueError(f'models are pairs of config and checkpoint, got {len(args.models)} arguments')
        pairs = list(zip(args.models[::2], args.models[1::2], strict=True))
        models = [posediff.init_model(config, checkpoint, args.device) for config, checkpoint in pairs]
        item = build_test_dataset(models[0].cfg)[args.item]
        clip = item['inputs']
        frame = np.ascontiguousarray(clip[len(clip) // 2].numpy()[::-1].transpose(1, 2, 0))  # RGB, channels last
        runs = []
        for model, (config, _) in zip(models, pairs, strict=True):
            wanted = model.conditioner.num_frames
            middle = (len(clip) - wanted) // 2
            if middle < 0:
                raise ValueError(f'{config} needs {wanted} frames, the clips of the first config have {len(clip)}')
            data = model.data_preprocessor([{**item, 'inputs': clip[middle : middle + wanted]}])
            steps = record_activations(model, data['inputs'], args.steps, args.seed)
            runs.append((Path(config).stem, steps))
    save_activations(args.out, frame, runs)
    print(f'{args.out}: {item["data_samples"].sample_id}')

"""Fit the spread of a lifter's hypotheses to its errors, and store the factors in a checkpoint.

    posediff calibrate CONFIG SOURCE DESTINATION data/cmu --subjects 02 05 --hide legs lower_body left_side right_side

The config must have model.head.calibrated_spread=True. Clips of motion capture are lifted as in posediff benchmark
clips, once with all detections and once more for every part of --hide, hidden in every frame. For each joint, the
factor is the error of the mean hypothesis divided by what the spread claims; where the joint was observed and where it
was not apart. DESTINATION is SOURCE with these factors: hypotheses are moved away from their mean, or towards it, and
the mean stays. Check the result on other subjects with posediff benchmark clips.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

import posediff
from posediff.cli.arguments import command_parser
from posediff.cli.benchmark.clips import add_clips, read_clip, read_tracks
from posediff.cli.publish import KEPT_META, check_paths, write_weights
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.evaluation.joints_3d import root_aligned
from posediff.evaluation.spread_factors import SpreadSums
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.checkpoint import load_checkpoint, state_of
from posediff.models.estimator import PoseDiffusionEstimator

KEY = 'head.spread_factors'


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('config', help='config file, or name of a packaged config')
    parser.add_argument('source', type=Path, help='checkpoint of the lifter')
    parser.add_argument('destination', type=Path, help='checkpoint to write: .pth, or .safetensors')
    add_clips(parser)
    parser.add_argument('--num-hypotheses', type=positive, metavar='M', help='default: that of the config')
    parser.add_argument('--num-inference-steps', type=positive, metavar='N', help='default: that of the config')
    parser.add_argument('--seed', type=int, default=0, help='seed of sampling; default: %(default)s')
    add_device(parser)
    return parser.parse_args(argv)


def load_model(args: argparse.Namespace) -> tuple[PoseDiffusionEstimator, int]:
    """Return the lifter with factors of 1, and the number of its hypotheses.

    Raises:
        ValueError: The config does not ask for a calibrated spread, or there is one hypothesis.
    """
    model = posediff.init_model(args.config, args.source, args.device)
    if not getattr(model.head, 'calibrated_spread', False):
        raise ValueError(f'{args.config} has no model.head.calibrated_spread=True: the factors would have no effect')
    number = args.num_hypotheses or model.test_cfg.num_hypotheses
    if number < 2:
        raise ValueError(f'the spread of hypotheses needs at least 2 of them, got {number}')
    model.head.spread_factors.fill_(1)
    return model, number


def collect(model: PoseDiffusionEstimator, args: argparse.Namespace) -> SpreadSums:
    """Lift all clips, with every part of ``--hide`` hidden in turn, and return the sums."""
    skeleton = model.head.skeleton
    tracks, parts = read_tracks(args, skeleton.name), args.hide
    sums = SpreadSums(skeleton.num_joints, skeleton.root)
    runs = [(track, hidden) for hidden in ([], *([part] for part in parts)) for track in tracks]
    for track, hidden in tqdm(runs, 'clips', unit='clip', disable=None):
        clip, keypoints, scores = read_clip(track, skeleton, argparse.Namespace(**{**vars(args), 'hide': hidden}))
        lifted = posediff.lift_keypoints(
            model,
            keypoints,
            scores,
            skeleton=skeleton.name,
            img_shape=clip.camera.img_shape,
            fps=track.fps,
            seed=args.seed,
            num_hypotheses=args.num_hypotheses,
            num_inference_steps=args.num_inference_steps,
        )
        drawn, target = (
            root_aligned(torch.as_tensor(poses).double(), skeleton.root)
            for poses in (lifted['hypotheses'], clip.joints_3d)
        )
        sums.add(drawn, target, torch.as_tensor(lifted['observed']))
    return sums


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        check_paths(args.source, args.destination, None)
        model, number = load_model(args)
        sums = collect(model, args)
        factors = sums.factors(number)
        checkpoint = load_checkpoint(args.source)
        state = {**state_of(checkpoint, args.source), KEY: factors}
        meta = checkpoint.get('meta') or {}
        with atomic_write(args.destination) as draft:
            write_weights(draft, args.destination, state, {key: meta[key] for key in KEPT_META if key in meta})
    rows = [
        [name, *(f'{float(value):.2f}' for value in factors[:, joint]), *(int(n) for n in sums.sums[:, 2, joint])]
        for joint, name in enumerate(model.head.skeleton.joint_names)
    ]
    print(markdown_table(['joint', 'factor, observed', 'factor, hidden', 'frames', 'frames, hidden'], rows))
    print(f'wrote {args.destination}')

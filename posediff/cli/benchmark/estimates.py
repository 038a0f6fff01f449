"""Compare single poses that are made of the same M hypotheses of a lifter, on whole clips of motion capture.

    posediff benchmark estimates data/cmu --clips 8 --frames 200
    posediff benchmark estimates data/cmu --lifter CONFIG CHECKPOINT --hide legs --num-hypotheses 50

Clips and detections are those of posediff benchmark clips. Every clip is lifted once with M hypotheses, of which all
estimates but the noise-free draw are made, and once more from x_T = 0. MPJPE has the root in place, P-MPJPE is after
the best similarity transform; both are means over frames, in mm. RPEA projects with the true intrinsics of the clip's
camera and an estimated position of the root. If the sampler draws noise in every step, the noise-free draw is made by
DDIM at the same times, and says so. The last row chooses with the ground truth: it is a bound, not a result.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

import posediff
from posediff.aggregation import DensityAggregator, MeanAggregator, MedianAggregator, ReprojectionExpectationAggregator
from posediff.assets import LIFTER_CHECKPOINT, LIFTER_CONFIG
from posediff.cli.arguments import command_parser
from posediff.cli.benchmark.clips import add_clips, read_clip, read_tracks
from posediff.cli.provenance import provenance
from posediff.datasets.pose_tracks import Track
from posediff.diffusion.samplers import DDIMSampler
from posediff.diffusion.samplers.base import BaseSampler
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.evaluation.joints_3d import mpjpe, p_mpjpe, root_aligned
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.structures.samples import PoseDataSample

AGGREGATORS: dict[str, Callable[..., Tensor]] = {
    'mean': MeanAggregator(),
    'geometric median': MedianAggregator('geometric'),
    'coordinate median': MedianAggregator('coordinate'),
    'density': DensityAggregator('joint'),
    'RPEA, estimated root': ReprojectionExpectationAggregator(root='estimate'),
}
FIRST, NOISE_FREE, ORACLE = 'first hypothesis', 'noise-free draw', 'best of M (oracle)'
MEASURES = ('MPJPE', 'P-MPJPE')
PAIRS_AT_A_TIME = 2**24
"""Pairs of hypotheses of a joint in memory, all joints and frames of a block; results do not depend on it."""


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    add_clips(parser)
    parser.add_argument(
        '--lifter',
        nargs=2,
        default=[str(LIFTER_CONFIG), str(LIFTER_CHECKPOINT)],
        metavar=('CONFIG', 'CHECKPOINT'),
        help='lifting model with diffusion; CONFIG is a file or the name of a packaged config; default: the packaged '
        'model',
    )
    parser.add_argument('--num-hypotheses', type=positive, metavar='M', help='default: that of the config')
    parser.add_argument('--num-inference-steps', type=positive, metavar='N', help='default: that of the config')
    parser.add_argument('--seed', type=int, default=0, help='seed of sampling; default: %(default)s')
    add_device(parser)
    parser.add_argument(
        '--out', type=Path, default=Path('out/estimates.json'), metavar='FILE', help='JSON file; default: %(default)s'
    )
    return parser.parse_args(argv)


def noise_free(model: PoseDiffusionEstimator, steps: int) -> tuple[PoseDiffusionEstimator, str]:
    """Return the model with ``test_cfg.noise_free`` and a deterministic sampler, and the name of its estimate.

    Args:
        model: Model with diffusion; it is not changed, and shares its weights with the result.
        steps: Denoiser calls.
    """
    plain, name = copy.copy(model), NOISE_FREE
    if model.sampler.num_draws(model.noise_scheduler, steps) > 1:
        sampler, kept = model.sampler, {}
        if isinstance(sampler, BaseSampler):
            kept = {option: getattr(sampler, option) for option in ('spacing', 'clip_x_0', 'shift')}
        plain.sampler, name = DDIMSampler(**kept), f'{NOISE_FREE}, DDIM'
    plain.test_cfg = dataclasses.replace(model.test_cfg, num_hypotheses=1, noise_free=True, keep_prior_mean=False)
    return plain, name


def combine(
    aggregate: Callable[..., Tensor], hypotheses: Tensor, keypoints: Tensor, observed: Tensor, sample: dict[str, Any]
) -> Tensor:
    """Return the pose (F, K, 3) that an aggregator makes of the hypotheses (M, F, K, 3) of a clip, in mm.

    Args:
        aggregate: An aggregator that works frame by frame.
        hypotheses: (M, F, K, 3) mm.
        keypoints: (F, K, 2) px, 0 where not observed.
        observed: (F, K) bool.
        sample: ``camera``, ``skeleton`` and ``img_shape`` of the clip.
    """
    count, frames, joints, _ = hypotheses.shape
    block = max(PAIRS_AT_A_TIME // (joints * count**2), 1)
    parts = []
    for first in range(0, frames, block):
        chosen = slice(first, first + block)
        record = PoseDataSample(metainfo={'sample_id': 'clip', **sample})
        record.input_keypoints_2d, record.input_keypoint_mask = keypoints[chosen], observed[chosen].float()
        parts.append(aggregate(hypotheses[None, :, chosen], [record])[0])
    return torch.cat(parts)


def measure(model: PoseDiffusionEstimator, track: Track, args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Lift a clip and return the sums of the measures over its frames, by estimate."""
    skeleton = model.head.skeleton
    clip, keypoints, scores = read_clip(track, skeleton, args)
    steps = model.inference_steps(args.num_inference_steps)
    options = {
        'skeleton': skeleton.name, 'img_shape': clip.camera.img_shape, 'fps': track.fps, 'seed': args.seed,
        'camera': clip.camera, 'num_inference_steps': steps,
    }  # fmt: skip
    lifted = posediff.lift_keypoints(model, keypoints, scores, num_hypotheses=args.num_hypotheses, **options)
    plain, name = noise_free(model, steps)
    target = torch.as_tensor(clip.joints_3d).double()
    hypotheses = torch.as_tensor(lifted['hypotheses']).double()
    sample = {'camera': clip.camera, 'skeleton': skeleton.name, 'img_shape': clip.camera.img_shape}
    shown = torch.as_tensor(np.nan_to_num(keypoints)), torch.as_tensor(lifted['observed'])
    poses = {
        **{key: combine(value, hypotheses, *shown, sample) for key, value in AGGREGATORS.items()},
        name: torch.as_tensor(posediff.lift_keypoints(plain, keypoints, scores, **options)['hypotheses'][0]).double(),
        FIRST: hypotheses[0],
    }
    found = {key: errors(pose[None], target, skeleton.root) for key, pose in poses.items()}
    found[ORACLE] = errors(hypotheses, target, skeleton.root)
    return {key: {'clip': track.track_id, 'frames': len(target), **sums} for key, sums in found.items()}


def errors(poses: Tensor, target: Tensor, root: int) -> Mapping[str, float]:
    """Return the sums over frames of the least error of M poses, by measure.

    Args:
        poses: (M, F, K, 3) mm.
        target: (F, K, 3) mm.
        root: Joint at which poses are aligned.
    """
    of_each = mpjpe(poses, target, root=root), p_mpjpe(root_aligned(poses, root), root_aligned(target, root))
    return {name: float(error.amin(0).sum()) for name, error in zip(MEASURES, of_each, strict=True)}


def compare(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Evaluate every estimate on every clip and return a row per estimate."""
    config, checkpoint = args.lifter
    model = posediff.init_model(config, checkpoint, args.device)
    if model.denoiser is None:
        raise ValueError(f'{config} has no denoiser: it gives one pose, so there is nothing to compare')
    number = args.num_hypotheses or model.test_cfg.num_hypotheses
    found: dict[str, list[dict[str, Any]]] = {}
    for track in tqdm(read_tracks(args, model.head.skeleton.name), 'clips', unit='clip', disable=None):
        for name, sums in measure(model, track, args).items():
            found.setdefault(name, []).append(sums)
    rows = []
    for name, clips in found.items():
        frames = sum(clip['frames'] for clip in clips)
        rows.append(
            {
                'estimate': name,
                'M': 1 if name == FIRST or name.startswith(NOISE_FREE) else number,
                'steps': model.inference_steps(args.num_inference_steps),
                'clips': len(clips),
                'frames': frames,
                **{key: sum(clip[key] for clip in clips) / frames for key in MEASURES},
                'of clips': clips,
            }
        )
    return rows


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        rows = compare(args)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(args.out) as draft:
            draft.write_text(json.dumps({**provenance(args), 'rows': rows}, indent=1) + '\n')
    shown = [{name: value for name, value in row.items() if name != 'of clips'} for row in rows]
    print(markdown_table(list(shown[0]), [list(row.values()) for row in shown], digits=1))

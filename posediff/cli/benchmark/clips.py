"""Measure lifters on whole clips of motion capture, with simulated detections and hidden parts of the body.

    posediff benchmark clips data/cmu --lifter CONFIG CHECKPOINT --lifter CONFIG CHECKPOINT
    posediff benchmark clips data/cmu --lifter CONFIG CHECKPOINT --hide legs --subjects 02 05

Clips are lifted by posediff.lift_keypoints, as in posediff lift: overlapping windows at the lifter's frame rate. MPJPE
has the root in place, P-MPJPE is after the best similarity transform; "upper body" is the MPJPE of arms, shoulders,
neck and head. All are means over frames, in mm. "error/spread" is the error of the mean hypothesis divided by what the
spread of the hypotheses claims, over the joints that were seen or hidden: 1 is right, above 1 the hypotheses are too
narrow; a dash for one hypothesis or for equal ones. Lifters are timed one after the other on the same clips, ms a
frame.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

import posediff
from posediff.cli.arguments import command_parser
from posediff.cli.provenance import provenance
from posediff.datasets import CMUMocapDataset
from posediff.datasets.pose_tracks import Track
from posediff.datasets.transforms.body_part_occlusion import BODY_PARTS, body_part_joints
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.evaluation.joints_3d import mpjpe, p_mpjpe, root_aligned
from posediff.evaluation.spread_skill import error_to_spread, squared_error_of_mean, squared_spread
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.structures.skeletons import Skeleton, get_skeleton

MEASURES = ('MPJPE', 'P-MPJPE', 'upper body')
RATIOS = {'seen': 'error/spread, seen', 'hidden': 'error/spread, hidden'}


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    add_clips(parser)
    parser.add_argument(
        '--lifter',
        nargs=2,
        action='append',
        required=True,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='lifting model, may be repeated; CONFIG is a file or the name of a packaged config',
    )
    parser.add_argument('--num-hypotheses', type=positive, metavar='M', help='default: that of each config')
    parser.add_argument('--num-inference-steps', type=positive, metavar='N', help='default: that of each config')
    parser.add_argument('--seed', type=int, default=0, help='seed of sampling; default: %(default)s')
    add_device(parser)
    parser.add_argument(
        '--out', type=Path, default=Path('out/clips.json'), metavar='FILE', help='JSON file; default: %(default)s'
    )
    return parser.parse_args(argv)


def add_clips(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that select clips and their detections, for :func:`read_tracks` and :func:`read_clip`."""
    parser.add_argument('data', help='folder of converted CMU motion, see posediff convert cmu')
    parser.add_argument('--subjects', nargs='+', metavar='NAME', help='subjects; default: those of the validation')
    parser.add_argument(
        '--severity', type=float, default=1.5, help='severity of the simulated detector noise; default: %(default)s'
    )
    parser.add_argument(
        '--hide', nargs='+', choices=list(BODY_PARTS), default=[], metavar='PART',
        help=f'parts of the body that are not seen in any frame: {", ".join(BODY_PARTS)}; default: none',
    )  # fmt: skip
    parser.add_argument(
        '--clips', type=positive, metavar='N', help='number of clips, evenly spaced among all; default: all'
    )
    parser.add_argument('--frames', type=positive, metavar='N', help='frames per clip, from its start; default: all')


def read_tracks(args: argparse.Namespace, skeleton: str) -> Sequence[Track]:
    """Return the clips with simulated detections of one stored camera each."""
    dataset = CMUMocapDataset(
        args.data, 'val', subjects=args.subjects, skeleton=skeleton, noise={'severity': args.severity}, num_cameras=1,
        window_size=1, test_mode=True,
    )  # fmt: skip
    tracks = dataset.tracks
    if args.clips is None or args.clips >= len(tracks):
        return tracks
    return [tracks[place] for place in np.linspace(0, len(tracks) - 1, args.clips).round().astype(int)]


def read_clip(track: Track, skeleton: Skeleton, args: argparse.Namespace) -> tuple[Any, np.ndarray, np.ndarray]:
    """Read the frames of a clip, with the parts of ``--hide`` not seen.

    Returns:
        The clip, its keypoints (F, K, 2) px, NaN where they are not seen, and their scores (F, K).

    Raises:
        ValueError: No keypoint is left.
    """
    number = min(track.num_frames, args.frames or track.num_frames)
    clip = track.read(np.arange(number), np.random.default_rng(args.seed))
    scores = clip.keypoint_scores * clip.keypoint_mask
    for part in args.hide:
        scores[:, body_part_joints(part, skeleton)] = 0
    if not (scores > 0).any():
        raise ValueError(f'{track.track_id} has no keypoint left with --hide {" ".join(args.hide)}')
    return clip, np.where(scores[..., None] > 0, clip.keypoints_2d, np.nan), scores


def measure(model: PoseDiffusionEstimator, track: Track, args: argparse.Namespace) -> dict[str, Any]:
    """Lift a clip and return the sums of its measures over frames."""
    skeleton = model.head.skeleton
    clip, keypoints, scores = read_clip(track, skeleton, args)
    begin = time.perf_counter()
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
    seconds = time.perf_counter() - begin
    pose, target = (torch.as_tensor(one).double() for one in (lifted['joints_3d'], clip.joints_3d))
    lower = {skeleton.root, *body_part_joints('lower_body', skeleton)}
    upper = torch.tensor([float(joint not in lower) for joint in range(skeleton.num_joints)]).expand(pose.shape[:-1])
    errors = mpjpe(pose, target), p_mpjpe(pose, target), mpjpe(pose, target, upper)
    return {
        'clip': track.track_id,
        'action': track.action,
        'frames': len(pose),
        'seconds': seconds,
        **{name: float(error.sum()) for name, error in zip(MEASURES, errors, strict=True)},
        'squared': squared_sums(lifted, target, skeleton.root),
    }


def squared_sums(lifted: dict[str, np.ndarray], target: torch.Tensor, root: int) -> dict[str, list[float]] | None:
    """Return the sums of squared error of the mean and of squared spread over seen and hidden joints, in mm².

    Args:
        lifted: Result of :func:`posediff.lift_keypoints`.
        target: (F, K, 3) mm.
        root: Joint at which poses are aligned; it does not count.

    Returns:
        The pair by ``'seen'`` and ``'hidden'``, and the number of joints in third place; None for one hypothesis.
    """
    drawn = root_aligned(torch.as_tensor(lifted['hypotheses']).double(), root)
    if len(drawn) < 2:
        return None
    values = squared_error_of_mean(drawn, root_aligned(target, root)), squared_spread(drawn)
    seen = torch.as_tensor(lifted['observed'])
    counted = torch.ones_like(seen)
    counted[:, root] = False
    places = {'seen': seen & counted, 'hidden': ~seen & counted}
    return {
        kind: [*(float(value[place].sum()) for value in values), int(place.sum())] for kind, place in places.items()
    }


def ratios(clips: Sequence[dict[str, Any]], num_hypotheses: int) -> dict[str, float | None]:
    """Return the ratio of error to spread over all clips by column; None where nothing counts.

    Args:
        clips: From :func:`measure`.
        num_hypotheses: M.
    """
    found: dict[str, float | None] = {}
    for kind, column in RATIOS.items():
        sums = [clip['squared'][kind] for clip in clips if clip['squared'] is not None]
        error, spread, number = np.sum(sums, axis=0) if sums else (0.0, 0.0, 0)
        ratio = error_to_spread(error, spread, num_hypotheses) if number else None
        found[column] = ratio if ratio is not None and np.isfinite(ratio) else None
    return found


def compare(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Evaluate every lifter on every clip and return a row per lifter."""
    models = [posediff.init_model(config, checkpoint, args.device) for config, checkpoint in args.lifter]
    skeletons = {model.head.skeleton.name for model in models}
    if len(skeletons) > 1:
        raise ValueError(
            f'the lifters have the skeletons {", ".join(sorted(skeletons))}: compare them with posediff benchmark '
            'joints, which converts the keypoints'
        )
    tracks = read_tracks(args, get_skeleton(skeletons.pop()).name)
    found: list[list[dict[str, Any]]] = [[] for _ in models]
    for track in tqdm(tracks, 'clips', unit='clip', disable=None):
        for model, clips in zip(models, found, strict=True):
            clips.append(measure(model, track, args))
    rows = []
    for (config, _), model, clips in zip(args.lifter, models, found, strict=True):
        frames = sum(clip['frames'] for clip in clips)
        number = 1 if model.denoiser is None else args.num_hypotheses or model.test_cfg.num_hypotheses
        rows.append(
            {
                'lifter': Path(config).stem,
                'M': number,
                'steps': '–' if model.denoiser is None else model.inference_steps(args.num_inference_steps),
                'clips': len(clips),
                'frames': frames,
                **{name: sum(clip[name] for clip in clips) / frames for name in MEASURES},
                **ratios(clips, number),
                'ms a frame': 1000 * sum(clip['seconds'] for clip in clips) / frames,
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
    shown = [{name: _shown(name, value) for name, value in row.items() if name != 'of clips'} for row in rows]
    print(markdown_table(list(shown[0]), [list(row.values()) for row in shown], digits=1))


def _shown(name: str, value: Any) -> Any:
    """Return a cell of the table: ratios with two decimals."""
    return f'{value:.2f}' if name in RATIOS.values() and value is not None else value

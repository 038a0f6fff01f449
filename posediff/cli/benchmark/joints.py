"""Measure the error of lifters on keypoints of a skeleton that they were not trained on.

    posediff benchmark joints data/cmu --lifter CONFIG CHECKPOINT --lifter CONFIG CHECKPOINT

Clips of the validation subjects are projected to keypoints of --joints with simulated detector noise, lifted by every
model, and evaluated on the 12 joints of arms and legs: P-MPJPE and N-MPJPE, mm, with the root midway between the hips.
A lifter with another skeleton gets the keypoints twice: converted as in the video pipeline ("by rules"), and
unconverted, joint by joint ("by name").
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

import posediff
from posediff.cli.arguments import command_parser
from posediff.cli.provenance import provenance
from posediff.datasets import CMUMocapDataset
from posediff.datasets.pose_tracks import PoseFrames
from posediff.engine.command_line import one_line_errors, positive
from posediff.evaluation.limbs import limbs, score_limbs
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.structures.skeleton_conversion import convert_joints
from posediff.structures.skeletons import get_skeleton

Errors = dict[tuple[str, str], list[dict[str, float]]]
"""(config, conversion) → results of :func:`score_limbs` for every clip."""


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('data', help='folder of converted CMU motion, see posediff convert cmu')
    parser.add_argument(
        '--lifter',
        nargs=2,
        action='append',
        required=True,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='lifting model, may be repeated; CONFIG is a file or the name of a packaged config',
    )
    parser.add_argument(
        '--joints', default='mediapipe17', metavar='SKELETON', help='skeleton of the keypoints; default: %(default)s'
    )
    parser.add_argument(
        '--severity', type=float, default=1.5, help='severity of the simulated detector noise; default: %(default)s'
    )
    parser.add_argument(
        '--clips', type=positive, default=40, metavar='N', help='number of clips, drawn at random; default: %(default)s'
    )
    parser.add_argument(
        '--frames', type=positive, default=81, metavar='N', help='frames per clip, from its start; default: %(default)s'
    )
    parser.add_argument(
        '--num-hypotheses',
        type=positive,
        metavar='M',
        help='number of poses sampled per frame; default: that of each config',
    )
    parser.add_argument(
        '--num-inference-steps',
        type=positive,
        metavar='N',
        help='denoiser evaluations per hypothesis; default: that of each config',
    )
    parser.add_argument(
        '--score-threshold',
        type=float,
        default=0.3,
        metavar='SCORE',
        help='ignore keypoints with a lower score; default: %(default)s',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the choice of clips and of sampling; default: %(default)s'
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/compare_joints.json'),
        metavar='FILE',
        help='JSON file for the table; default: %(default)s',
    )
    return parser.parse_args(argv)


def project_clips(args: argparse.Namespace) -> tuple[list[PoseFrames], float]:
    """Return clips of the validation subjects, projected with one stored camera each, and their frame rate."""
    dataset = CMUMocapDataset(
        args.data, split='val', skeleton=args.joints, noise={'severity': args.severity}, num_cameras=1,
        window_size=1, test_mode=True,
    )  # fmt: skip
    tracks = dataset.load_tracks()
    chosen = np.random.default_rng(args.seed).permutation(len(tracks))[: args.clips]
    return [tracks[number].frames for number in chosen], tracks[0].fps


def ways(joints: str, wanted: str) -> tuple[str, ...]:
    """Return the names of the conversions to evaluate from skeleton ``joints`` to ``wanted``, that of the lifter.

    ``'its own'``: no conversion; for ``'by rules'`` and ``'by name'`` see the module.
    """
    return ('its own',) if joints == wanted else ('by rules', 'by name')


def lift(model: PoseDiffusionEstimator, clip: PoseFrames, way: str, fps: float, args: argparse.Namespace) -> np.ndarray:
    """Lift a clip and return the joints of arms and legs, (F, 12, 3) mm.

    Args:
        model: The lifter.
        clip: The clip, with keypoints of the skeleton ``args.joints``.
        way: Conversion of the keypoints, one of :func:`ways`.
        fps: Frame rate of the clip.
        args: Arguments of the command.
    """
    frames = slice(args.frames)
    scores = clip.keypoint_scores[frames] * clip.keypoint_mask[frames]
    scores = np.where(scores >= args.score_threshold, scores, 0).astype(np.float32)
    points = np.where(scores[..., None] > 0, clip.keypoints_2d[frames], np.nan).astype(np.float32)
    if way == 'by rules':
        points, scores, _ = convert_joints(points, args.joints, model.head.skeleton.name, scores)
    lifted = posediff.lift_keypoints(
        model,
        points,
        scores,
        skeleton=model.head.skeleton.name,  # with 'by name', the keypoints are labelled with it unconverted
        img_shape=clip.camera.img_shape,
        fps=fps,
        seed=args.seed,
        num_hypotheses=args.num_hypotheses,
        num_inference_steps=args.num_inference_steps,
    )
    return lifted['joints_3d'][:, limbs(model.head.skeleton)]


def compare(args: argparse.Namespace) -> list[dict[str, float | str]]:
    """Evaluate every lifter on every clip and return one row per lifter and conversion."""
    models = {config: posediff.init_model(config, checkpoint) for config, checkpoint in args.lifter}
    clips, fps = project_clips(args)
    errors: Errors = {}
    for clip in tqdm(clips, 'clips', unit='clip', disable=None):
        target = clip.joints_3d[: args.frames, limbs(get_skeleton(args.joints))]
        for config, model in models.items():
            for way in ways(args.joints, model.head.skeleton.name):
                found = score_limbs(lift(model, clip, way, fps, args), target, np.ones(target.shape[:2], bool))
                errors.setdefault((config, way), []).append(found)
    rows: list[dict[str, float | str]] = []
    for (config, way), of_clips in errors.items():
        frames = [one['frames'] for one in of_clips]
        means = {
            name: float(np.average([one[name] for one in of_clips], weights=frames)) for name in ('p_mpjpe', 'n_mpjpe')
        }
        rows.append(
            {'lifter': Path(config).stem, 'trained on': models[config].head.skeleton.name, 'joints': way,
             'frames': int(sum(frames)), **means}
        )  # fmt: skip
    return rows


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        rows = compare(args)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(args.out) as draft:
            draft.write_text(json.dumps({**provenance(args), 'rows': rows}, indent=1) + '\n')
    print(markdown_table(list(rows[0]), [list(row.values()) for row in rows], digits=1))

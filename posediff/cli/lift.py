"""Lift the 2D keypoints of one person to 3D.

Without arguments, the packaged keypoints and lifting model are used. Writes poses.json (the 3D poses), lifted.png and
lifted.gif (the hypotheses and their aggregate) to a folder.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

import posediff
from posediff.assets import DEMO_KEYPOINTS, LIFTER_CHECKPOINT, LIFTER_CONFIG
from posediff.cli.arguments import command_parser, image_size
from posediff.cli.keypoint_file_arguments import add_keypoint_file_options, keypoint_file_choices
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.evaluation.coherence import segment_std, symmetry_gap
from posediff.evaluation.hypotheses import hypothesis_spread
from posediff.evaluation.joints_3d import root_aligned
from posediff.evaluation.radius import radius_90
from posediff.evaluation.tables import markdown_table
from posediff.fileio.pose_files import KeypointClip, read_keypoints, write_poses
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.pipeline.intrinsics import Intrinsics
from posediff.pipeline.joints_in_image import joints_in_image
from posediff.pipeline.randomness import forked_rng
from posediff.structures.skeleton_conversion import Conversion, convert_joints
from posediff.structures.skeletons import Skeleton
from posediff.visualization.lifting import LiftedClip, save_animation, save_picture

FRAMES_AT_A_TIME = 54
"""Frames in a batch of windows, of lifters with short windows; results do not depend on it."""


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Lift a file of keypoints; exit with code 2 if an argument or the file is invalid."""
    args = parse_args(argv, prog)
    with one_line_errors():
        run(args)


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__, keypoint_file_choices())
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/lifted'),
        metavar='DIR',
        help='folder for the results; default: %(default)s',
    )
    clip = parser.add_argument_group('2D poses')
    clip.add_argument(
        '--keypoints',
        type=Path,
        default=DEMO_KEYPOINTS,
        metavar='PATH',
        help='file or folder of 2D keypoints; default: the packaged file',
    )
    add_keypoint_file_options(clip)
    clip.add_argument('--person', metavar='ID', help='track id or name of the person, if the file has several')
    clip.add_argument('--fps', type=float, help='frame rate of the keypoints, if the file does not state it')
    clip.add_argument(
        '--image-size', type=image_size, metavar='WxH', help='image size, px, if the file does not state it'
    )
    lifter = parser.add_argument_group('3D poses')
    lifter.add_argument(
        '--lifter',
        '--config',
        dest='config',
        type=Path,
        metavar='CONFIG',
        help='config file, or name of a packaged config, of the lifting model; default: the packaged model',
    )
    lifter.add_argument(
        '--lifter-checkpoint',
        '--checkpoint',
        dest='checkpoint',
        type=Path,
        metavar='FILE',
        help='weights of --lifter; default: random weights',
    )
    lifter.add_argument(
        '--num-hypotheses',
        type=positive,
        metavar='M',
        help='number of poses sampled per frame; default: that of the config',
    )
    lifter.add_argument(
        '--num-inference-steps',
        type=positive,
        metavar='N',
        help='denoiser evaluations per hypothesis; default: that of the config',
    )
    lifter.add_argument(
        '--seed', type=int, default=0, help='seed of the noise, and of random weights; default: %(default)s'
    )
    lifter.add_argument(
        '--focal',
        type=float,
        metavar='PX',
        help='focal length in px, for aggregators that compare poses with the 2D input; default: the longer side of '
        'the image',
    )
    add_device(lifter)
    parser.add_argument(
        '--seen-joints-only',
        action='store_true',
        help='leave out joints in frames where the camera did not see them: null in poses.json, not drawn',
    )
    parser.add_argument('--no-animation', action='store_true', help='skip lifted.gif')
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Read and lift the keypoints, write the results, and print the report.

    Raises:
        OSError, ValueError: The keypoints or the model are missing, invalid, or do not fit together.
    """
    clip = read_keypoints(
        args.keypoints,
        args.skeleton,
        args.fps,
        args.image_size,
        person=args.person,
        format=args.format,
        coordinates=args.coordinates,
        first_frame=args.first_frame,
    )
    for note in clip.notes:
        sys.stderr.write(f'warning: {note}\n')
    model = load_lifter(args)
    if not (clip.keypoint_scores > 0).any():
        raise ValueError(f'{args.keypoints}: no keypoint is valid: all are NaN, at (0, 0), or have score 0')
    started = time.perf_counter()
    result, conversion = lift_clip(model, clip, args, args.keypoints.name)
    seconds = time.perf_counter() - started
    written = write_results(args, clip, result)
    print_report(args, clip, conversion, result, seconds, written)


def lift_clip(
    model: PoseDiffusionEstimator, clip: KeypointClip, args: argparse.Namespace, name: str
) -> tuple[LiftedClip, Conversion]:
    """Lift a clip with the sampling options of the arguments.

    Returns:
        The lifted clip, with poses and hypotheses relative to the root, and how the joints were converted.
    """
    joints = model.head.skeleton
    keypoints, scores, conversion = convert_clip(clip, joints.name)
    lifted = posediff.lift_keypoints(
        model,
        keypoints,
        scores,
        skeleton=joints.name,
        img_shape=clip.img_shape,
        fps=clip.fps,
        camera=Intrinsics.from_focal(clip.img_shape, args.focal).camera,
        num_hypotheses=args.num_hypotheses,
        num_inference_steps=args.num_inference_steps,
        seed=args.seed,
        batch_size=max(FRAMES_AT_A_TIME // model.window_length, 2),
        progress=partial(tqdm, desc='lifting', unit='frame', leave=False, disable=None),
    )
    pose = root_aligned(torch.from_numpy(lifted['joints_3d']), joints.root)
    hypotheses = root_aligned(torch.from_numpy(lifted['hypotheses']), joints.root)
    spread = hypothesis_spread(hypotheses)
    num_hypotheses = len(hypotheses)
    result = LiftedClip(
        keypoints_2d=np.where(lifted['observed'][..., None], keypoints, np.nan),
        joints_3d=pose.numpy(),
        hypotheses=hypotheses.numpy(),
        joints_3d_std=spread.numpy(),
        skeleton=joints,
        fps=clip.fps,
        title=f'{name}: {len(keypoints)} frames at {clip.fps:g} fps, {num_hypotheses} '
        f'{"hypotheses" if num_hypotheses > 1 else "hypothesis"} and their aggregate',
        lifter_window_s=model.window_length / float(model.fps or clip.fps),
        in_picture=joints_in_image(clip.keypoints_2d, conversion, clip.img_shape),
    )
    return result, conversion


def load_lifter(args: argparse.Namespace) -> PoseDiffusionEstimator:
    """Load the lifting model of the arguments, or the packaged one.

    Raises:
        ValueError: A checkpoint is given without a config, or does not fit it.
    """
    if args.config is None and args.checkpoint is not None:
        raise ValueError(f'--lifter-checkpoint {args.checkpoint} needs the --lifter that it belongs to')
    config, checkpoint = (LIFTER_CONFIG, LIFTER_CHECKPOINT) if args.config is None else (args.config, args.checkpoint)
    with forked_rng(args.seed):  # for random weights
        return posediff.init_model(config, checkpoint, device=args.device)


def convert_clip(clip: KeypointClip, target: str) -> tuple[np.ndarray, np.ndarray, Conversion]:
    """Convert keypoints to the lifter's skeleton.

    Returns:
        Keypoints (F, K, 2) px, NaN for joints that were not observed; scores (F, K); the conversion.
    """
    seen = np.where(clip.keypoint_scores[..., None] > 0, clip.keypoints_2d, np.nan)
    return convert_joints(seen, clip.skeleton, target, clip.keypoint_scores)


def write_results(args: argparse.Namespace, clip: KeypointClip, result: LiftedClip) -> list[str]:
    """Write the files and return their names."""
    frames = len(result.joints_3d)
    left_out = ~result.joint_observed if args.seen_joints_only else None
    if args.seen_joints_only:
        result = result.without_unseen()
    names = ['poses.json', 'lifted.png', *([] if args.no_animation else ['lifted.gif'])]
    args.out.mkdir(parents=True, exist_ok=True)
    write_poses(
        args.out / 'poses.json',
        result.joints_3d,
        result.skeleton,
        clip.fps,
        joints_3d_std=result.joints_3d_std,
        joints_3d_radius_90=radius_90(result.hypotheses, result.joints_3d),
        left_out=left_out,
        extra={
            'first_frame': clip.first_frame,
            'img_shape': clip.img_shape,
            'source': clip.source,
            'source_skeleton': clip.skeleton,
            'lifter': str(args.config or LIFTER_CONFIG.name),
            'num_hypotheses': len(result.hypotheses),
            'seed': args.seed,
            'joint_observed': result.joint_observed.tolist(),
            **({'seen_joints_only': True} if args.seen_joints_only else {}),
        },
    )
    save_picture(args.out / 'lifted.png', result, sorted({frames // 6, frames // 2, (5 * frames) // 6}))
    if not args.no_animation:
        save_animation(
            args.out / 'lifted.gif',
            result,
            progress=partial(tqdm, desc='drawing', unit='frame', leave=False, disable=None),
        )
    return names


def print_report(
    args: argparse.Namespace,
    clip: KeypointClip,
    conversion: Conversion,
    result: LiftedClip,
    seconds: float,
    written: Sequence[str],
) -> None:
    """Print what was lifted, how, and statistics of the result."""
    frames = len(result.joints_3d)
    print(f'clip    {args.keypoints}: {frames} frames at {clip.fps:g} fps, {clip.img_shape[1]}x{clip.img_shape[0]} px')
    print(f'joints  {" -> ".join(conversion.path)}; approximated: {", ".join(conversion.approximated) or "none"}')
    weights = LIFTER_CHECKPOINT if args.config is None else args.checkpoint or 'RANDOM WEIGHTS (no --lifter-checkpoint)'
    print(f'lifter  {args.config or LIFTER_CONFIG}, {weights}')
    print(f'written {args.out}/: {", ".join(written)}\n')
    print(joint_table(result.skeleton, result.joints_3d_std, result.joint_observed), '\n')
    pose = torch.from_numpy(result.joints_3d).double()
    rows: list[list[str | float]] = [
        ['hypotheses', str(len(result.hypotheses))],
        ['mean spread, mm', float(result.joints_3d_std.mean())],
        ['segment length std over the clip, mm', float(segment_std(pose, result.skeleton, 'skeleton'))],
        ['left-right symmetry gap, mm', float(symmetry_gap(pose, result.skeleton, 'skeleton').mean())],
        ['lifting, s', seconds],
        ['lifting, frames per second', frames / seconds],
    ]
    print(markdown_table(['whole clip', ''], rows))


def joint_table(skeleton: Skeleton, spread: np.ndarray, observed: np.ndarray) -> str:
    """Return a Markdown table with the spread of the hypotheses and the share of observed frames of every joint.

    Args:
        skeleton: Skeleton of the J joints.
        spread: (F, J) mm.
        observed: (F, J) bool.
    """
    rows: list[list[str | float]] = [
        [name.replace('_', ' '), float(spread[:, joint].mean()), float(spread[:, joint].max()), float(seen)]
        for joint, (name, seen) in enumerate(zip(skeleton.joint_names, 100 * observed.mean(0), strict=True))
    ]
    return markdown_table(['joint', 'mean spread, mm', 'max, mm', 'observed, %'], rows, digits=1)

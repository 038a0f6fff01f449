"""Exporter of BVH, the skeleton animation format of Blender and other animation programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from posediff.export.base import BaseExporter
from posediff.export.bvh_solver import BvhPose, posed_joints, solve_rotations
from posediff.export.known_limbs import without_unknown_limbs
from posediff.export.motion import Motion, frame_ranges
from posediff.export.rest_pose import BODY
from posediff.fileio.atomic_files import replacing
from posediff.geometry.rotations import EULER_ORDER, euler_angles
from posediff.registry import EXPORTERS
from posediff.structures.argument_checks import require_one_of

GAPS, NEVER_KNOWN = ('error', 'interpolate'), ('error', 'leave out')
END_SITE = 0.05  # metres
ROTATIONS = ' '.join(f'{axis}rotation' for axis in EULER_ORDER)


@EXPORTERS.register_module(name='bvh')
class BVHExporter(BaseExporter):
    """BVH: a skeleton and its rotations, y up.

    The hierarchy is the skeleton's tree with helper joints where it branches, see
    :func:`~posediff.export.bvh_solver.solve_rotations`. The rest pose is a T-pose that faces +z, with median bone
    lengths. The root has position and rotation, all other joints only rotation. Rotations are intrinsic in the order
    Z, X, Y; angles are continuous beyond 180 degrees.

    Args:
        scale: File units per metre: 1 for Blender, whose importer takes file units as metres; 100 for programs that
            expect centimetres.
        gaps: Treatment of unknown joints, as the format has no gaps: ``'error'``, or ``'interpolate'`` for linear
            interpolation of each joint between known frames, with its first or last known position held outside.
        never_known: Treatment of joints that are unknown in all frames: ``'error'``, or ``'leave out'`` to remove them
            and their bones from the hierarchy.

    Raises:
        ValueError: An option is out of range.
    """

    suffix = '.bvh'
    track_options = MappingProxyType({'gaps': 'interpolate', 'never_known': 'leave out'})

    def __init__(self, *, scale: float = 1.0, gaps: str = 'error', never_known: str = 'error') -> None:
        if not (np.isfinite(scale) and scale > 0):
            raise ValueError(f'bvh: scale must be positive, got {scale}')
        require_one_of('bvh', 'gaps', gaps, GAPS)
        require_one_of('bvh', 'never_known', never_known, NEVER_KNOWN)
        self.scale, self.gaps, self.never_known = scale, gaps, never_known

    def __call__(self, motion: Motion, path: Path) -> dict[str, Any]:
        """Write the skeleton and its rotations.

        Returns:
            Description of the file, with the errors of its joints relative to the input, in mm.

        Raises:
            ValueError: There are gaps and ``gaps`` is ``'error'``; a joint is never known; the skeleton has no hips or
                shoulders.
        """
        left_out: tuple[str, ...] = ()
        if self.never_known == 'leave out':
            motion, left_out = without_unknown_limbs(motion)
        joints = motion.y_up_metres()
        if not motion.complete.all():
            joints = _filled(joints, motion, self.gaps)
        pose = solve_rotations(joints, motion.skeleton, END_SITE, measured=motion.complete)
        with replacing(path) as temporary, temporary.open('w') as file:
            file.writelines(f'{line}\n' for line in _lines(pose, self.scale, motion.fps))
        errors = 1000 * np.linalg.norm(posed_joints(pose, len(motion.joint_names)) - joints, axis=-1)[motion.known]
        lengths = {
            node.name: 1000 * float(np.linalg.norm(node.offset)) for node in pose.nodes if node.joint is not None
        }
        return {
            'unit': f'{1 / self.scale:.10g} m',
            'axes': 'right-handed, y up; rest pose: T-pose, left +x, ahead +z',
            'rotation_order': EULER_ORDER,
            'gaps': 'none in the file',
            'start': f'the first frame is frame {motion.first_frame} of the video, from 0',
            'interpolated_frames': frame_ranges(~motion.complete),
            'left_out_joints': list(left_out),
            'bone_lengths_mm': {name: round(length, 1) for name, length in lengths.items()},
            'position_error_mm': {'mean': round(float(errors.mean()), 3), 'max': round(float(errors.max()), 3)},
        }

    def refusal(self, motion: Motion) -> str | None:
        """Require that the root, hips and shoulders are known in at least one frame each."""
        names = motion.joint_names
        needed = {motion.skeleton.root, *(joint for joint, name in enumerate(names) if name in BODY)}
        ever = np.asarray(motion.known.any(0))
        has_body = bool(ever[sorted(needed)].all())
        return None if has_body else 'the root, a hip or a shoulder is never known'


def _filled(joints: np.ndarray, motion: Motion, gaps: str) -> np.ndarray:
    """Return joints (F, K, 3) without NaN."""
    known = motion.known
    frame, joint = np.argwhere(~known)[0].tolist()
    if gaps == 'error':
        raise ValueError(
            f'a BVH file has no gaps, and {np.count_nonzero(~motion.complete)} of {len(known)} frames lack joints (the '
            f'first: frame {frame}, {motion.joint_names[joint]!r}); gaps="interpolate" fills them in'
        )
    filled = joints.copy()
    frames = np.arange(len(joints))
    for joint, name in enumerate(motion.joint_names):
        there = known[:, joint]
        if not there.any():
            raise ValueError(f'bvh: the joint {name!r} is not known in any frame: there is nothing to interpolate')
        for axis in range(3):
            filled[:, joint, axis] = np.interp(frames, frames[there], joints[there, joint, axis])
    return filled


def _lines(pose: BvhPose, scale: float, fps: float) -> Iterator[str]:
    pose = replace(pose, root=pose.root * scale)
    lines = ['HIERARCHY']
    depths: list[int] = []
    for index, node in enumerate(pose.nodes):
        depth = 0 if node.parent < 0 else depths[node.parent] + 1
        lines += ['\t' * level + '}' for level in range(depths[-1] if depths else -1, depth - 1, -1)]
        depths.append(depth)
        channels = f'6 Xposition Yposition Zposition {ROTATIONS}' if node.parent < 0 else f'3 {ROTATIONS}'
        offset = np.zeros(3) if node.parent < 0 else node.offset * scale
        lines += _indented(depth, f'{"ROOT" if index == 0 else "JOINT"} {node.name}', '{')
        lines += _indented(depth + 1, f'OFFSET {_numbers(offset)}', f'CHANNELS {channels}')
        if node.end is not None:
            lines += _indented(depth + 1, 'End Site', '{')
            lines += _indented(depth + 2, f'OFFSET {_numbers(node.end * scale)}')
            lines += _indented(depth + 1, '}')
    lines += ['\t' * level + '}' for level in range(depths[-1], -1, -1)]
    angles = euler_angles(pose.rotations).reshape(len(pose.root), -1)
    yield from lines
    yield from ('MOTION', f'Frames: {len(angles)}', f'Frame Time: {1 / fps:.10f}')
    yield from (f'{_numbers(root)} {_numbers(row)}' for root, row in zip(pose.root, angles, strict=True))


def _indented(depth: int, *lines: str) -> list[str]:
    return ['\t' * depth + line for line in lines]


def _numbers(values: np.ndarray) -> str:
    return ' '.join(f'{value:.7f}' for value in values.tolist())

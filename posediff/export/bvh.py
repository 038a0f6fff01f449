"""Exporter of BVH, the skeleton animation format of Blender and other animation programs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from posediff.export.base import BaseExporter
from posediff.export.bvh_solver import BvhNode, BvhSolver, posed_joints
from posediff.export.frame_ranges import FrameRanges
from posediff.export.gap_filling import interpolated
from posediff.export.known_limbs import known_limbs
from posediff.export.motion import Motion
from posediff.export.motion_frames import to_y_up_metres
from posediff.export.rest_pose import BODY, rest_offsets
from posediff.fileio.atomic_files import atomic_write
from posediff.geometry.rotations import EULER_ORDER, ContinuousEulerAngles
from posediff.registry import EXPORTERS
from posediff.structures.argument_checks import require_one_of
from posediff.structures.component_choices import CommandLineChoice

GAPS, NEVER_KNOWN = ('error', 'interpolate'), ('error', 'leave out')
END_SITE = 0.05  # metres
REST_FRAMES = 20_000  # maximum number of frames used for the median bone lengths
ROTATIONS = ' '.join(f'{axis}rotation' for axis in EULER_ORDER)


@EXPORTERS.register_module(name='bvh')
class BVHExporter(BaseExporter):
    """BVH: a skeleton and its rotations, y up.

    The hierarchy is the skeleton's tree with helper joints where it branches, see
    :class:`~posediff.export.bvh_solver.BvhSolver`. The rest pose is a T-pose that faces +z, with median bone
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

    command_line = (
        CommandLineChoice(
            'bvh',
            'skeleton and rotations for Blender and other animation software, y up',
            options={
                'scale': 'file units per metre: 1 for Blender, 100 for programs that expect centimetres',
                'gaps': 'interpolate or error: treatment of frames with unknown joints',
                'never_known': 'leave out or error: treatment of joints that are unknown in all frames',
            },
        ),
    )
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
        motion = motion.with_up()
        joints, skeleton = list(range(len(motion.joint_names))), motion.skeleton
        ever_known = motion.ever_known()
        if self.never_known == 'leave out':
            joints, skeleton = known_limbs(skeleton, ever_known)
        _require_fillable(motion, joints, ever_known, self.gaps)
        incomplete = FrameRanges()
        solver = BvhSolver(rest_offsets(_measured(motion, joints), skeleton), skeleton, END_SITE)
        euler = ContinuousEulerAngles()
        errors: list[tuple[int, float, float]] = []  # per block: number, sum, maximum
        with atomic_write(path) as temporary, temporary.open('w') as file:
            file.writelines(f'{line}\n' for line in _header(solver.nodes, self.scale, motion))
            for block, filled in zip(motion.blocks(), _filled(motion, joints), strict=True):
                pose = solver(filled)
                angles = euler(pose.rotations).reshape(len(filled), -1)
                rows = zip(pose.root * self.scale, angles, strict=True)
                file.writelines(f'{_numbers(root)} {_numbers(row)}\n' for root, row in rows)
                there = block.known[:, joints]
                incomplete.add(np.asarray(~there.all(-1)))
                distances = 1000 * np.linalg.norm(posed_joints(pose, len(joints)) - filled, axis=-1)[there]
                errors.append((distances.size, float(distances.sum()), float(distances.max(initial=0))))
        number, total, largest = np.array(errors).T
        lengths = {node.name: np.linalg.norm(node.offset) for node in solver.nodes if node.joint is not None}
        return {
            'unit': f'{1 / self.scale:.10g} m',
            'axes': 'right-handed, y up; rest pose: T-pose, left +x, ahead +z',
            'rotation_order': EULER_ORDER,
            'gaps': 'none in the file',
            'start': f'the first frame is frame {motion.first_frame} of the video, from 0',
            'interpolated_frames': incomplete.found,
            'left_out_joints': [name for joint, name in enumerate(motion.joint_names) if joint not in joints],
            'bone_lengths_mm': {name: round(1000 * float(length), 1) for name, length in lengths.items()},
            'position_error_mm': {
                'mean': round(float(total.sum() / number.sum()), 3),
                'max': round(float(largest.max()), 3),
            },
        }

    def refusal(self, motion: Motion) -> str | None:
        """Return a reason if the root, a hip or a shoulder is unknown in all frames, else None."""
        names = motion.joint_names
        needed = {motion.skeleton.root, *(joint for joint, name in enumerate(names) if name in BODY)}
        has_body = bool(motion.ever_known()[sorted(needed)].all())
        return None if has_body else 'the root, a hip or a shoulder is never known'


def _require_fillable(motion: Motion, joints: list[int], ever_known: np.ndarray, gaps: str) -> None:
    """Raise ValueError unless ``joints`` are known in every frame, or ``gaps`` allows interpolation and it is possible.

    Interpolation is possible if each joint is known in at least one frame.
    """
    names, lacking, first = motion.joint_names, 0, None
    for block in motion.blocks():
        unknown = ~block.known[:, joints]
        lacking += int(np.count_nonzero(unknown.any(-1)))
        if first is None and unknown.any():
            frame, joint = np.argwhere(unknown)[0].tolist()
            first = f'frame {block.first_frame - motion.first_frame + frame}, {names[joints[joint]]!r}'
    if lacking and gaps == 'error':
        raise ValueError(
            f'a BVH file has no gaps, and {lacking} of {motion.num_frames} frames lack joints (the first: {first}); '
            'gaps="interpolate" fills them in'
        )
    never = [names[joint] for joint in joints if not ever_known[joint]]
    if never:
        raise ValueError(f'bvh: the joint {never[0]!r} is not known in any frame: there is nothing to interpolate')


def _filled(motion: Motion, joints: list[int]) -> Iterator[np.ndarray]:
    """Yield the selected joints of each block, (n, len(joints), 3) m, y up, with unknown positions interpolated."""
    assert motion.up is not None
    for block in interpolated(motion.joints_3d, joints):
        yield to_y_up_metres(block, motion.up)


def _complete(motion: Motion, joints: list[int]) -> Iterator[np.ndarray]:
    """Yield the selected joints of the frames in which all of them are known, block by block, as :func:`_filled`."""
    for block in motion.blocks():
        yield block.y_up_metres()[:, joints][block.known[:, joints].all(-1)]


def _measured(motion: Motion, joints: list[int]) -> np.ndarray:
    """Return at most :data:`REST_FRAMES` evenly spaced frames for the bone lengths, (n, len(joints), 3) m, y up.

    Only frames in which all selected joints are known are used; if there are none, interpolated frames are used.
    """
    complete = sum(np.count_nonzero(block.known[:, joints].all(-1)) for block in motion.blocks())
    every = math.ceil((complete or motion.num_frames) / REST_FRAMES)
    found, passed = [], 0
    for usable in _complete(motion, joints) if complete else _filled(motion, joints):
        found.append(usable[-passed % every :: every].copy())
        passed += len(usable)
    return np.concatenate(found)


def _header(nodes: Sequence[BvhNode], scale: float, motion: Motion) -> Iterator[str]:
    """Yield the lines before those of the frames."""
    yield 'HIERARCHY'
    depths: list[int] = []
    for index, node in enumerate(nodes):
        depth = 0 if node.parent < 0 else depths[node.parent] + 1
        yield from ('\t' * level + '}' for level in range(depths[-1] if depths else -1, depth - 1, -1))
        depths.append(depth)
        channels = f'6 Xposition Yposition Zposition {ROTATIONS}' if node.parent < 0 else f'3 {ROTATIONS}'
        offset = np.zeros(3) if node.parent < 0 else node.offset * scale
        yield from _indented(depth, f'{"ROOT" if index == 0 else "JOINT"} {node.name}', '{')
        yield from _indented(depth + 1, f'OFFSET {_numbers(offset)}', f'CHANNELS {channels}')
        if node.end is not None:
            yield from _indented(depth + 1, 'End Site', '{')
            yield from _indented(depth + 2, f'OFFSET {_numbers(node.end * scale)}')
            yield from _indented(depth + 1, '}')
    yield from ('\t' * level + '}' for level in range(depths[-1], -1, -1))
    yield from ('MOTION', f'Frames: {motion.num_frames}', f'Frame Time: {1 / motion.fps:.10f}')


def _indented(depth: int, *lines: str) -> list[str]:
    return ['\t' * depth + line for line in lines]


def _numbers(values: np.ndarray) -> str:
    return ' '.join(f'{value:.7f}' for value in values.tolist())

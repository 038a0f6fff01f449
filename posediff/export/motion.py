"""Motion of one person, the input of all writers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from posediff.export.motion_frames import MotionFrames
from posediff.geometry.up_axis import estimate_up
from posediff.structures.argument_checks import require_one_of, require_whole

UP_SOURCES = ('given', 'estimated', 'assumed')
UNIT_TOLERANCE = 1e-3
BLOCK_FRAMES = 2048
"""Frames processed together: writers need memory for these, not for the whole motion."""
PER_FRAME = ('joints_3d', 'observed', 'joint_observed', 'root_observed', 'times_s', 'radius_90')


@dataclass(frozen=True)
class Motion(MotionFrames):
    """3D joints of one person over a clip, with the metadata that files need.

    Writers read it in blocks of frames. Arrays that cannot be written to, such as a :class:`numpy.memmap` in mode
    ``'r'``, are therefore not copied: a motion may be larger than memory.

    Attributes:
        joints_3d: (F, K, 3) mm, camera axes (x right, y down, z forward). NaN joints are unknown; a frame without
            known joints is a gap.
        skeleton: Skeleton of the joints.
        fps: Frames per second.
        absolute: True if ``joints_3d`` are positions relative to the camera, including the root trajectory; False if
            they are relative to the root joint, which is then near the origin in every frame.
        track_id: Track id of the person in the clip.
        observed: (F,) bool, False for gaps and filled frames. None: every frame that is not a gap.
        joint_observed: (F, K) bool, False for joints that the camera did not see; their positions, if any, are
            estimates of the lifter. None: every joint with a position in an observed frame.
        root_observed: (F,) bool, False if the person's position is interpolated from other frames. None: as
            ``observed``.
        first_frame: Index in the video of the first frame, from 0.
        times_s: (F,) seconds since the video's first frame. None: constant rate, index / ``fps``.
        up: (3,) unit vector of camera axes against gravity; None: unknown, see :meth:`with_up`.
        up_source: Source of ``up``: ``'given'`` by the caller, ``'estimated'`` from the motion, or ``'assumed'``. None:
            ``'given'`` if ``up`` is set.
        up_note: Description of the source.
        radius_90: (F, K) mm, radius around each joint that holds 90 % of the hypotheses, NaN where it is not known.
            None: it is not known for any joint.

    Raises:
        ValueError: A value has a wrong shape, is infinite, or contradicts another.
    """

    def __post_init__(self) -> None:
        given = np.asarray(self.joints_3d)
        if given.ndim != 3 or given.shape[1:] != (self.skeleton.num_joints, 3) or len(given) == 0:
            raise ValueError(
                f'Motion: joints_3d of skeleton {self.skeleton.name!r} must be (F, {self.skeleton.num_joints}, 3) with '
                f'at least one frame, got shape {given.shape}'
            )
        object.__setattr__(self, 'joints_3d', self._checked_joints(given))
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f'Motion: fps must be positive, got {self.fps}')
        require_whole('Motion', {'track_id': self.track_id, 'first_frame': self.first_frame}, least=0)
        for name in self.skeleton.joint_names:
            if re.search(r'[\s,;"{}]', name) or not name:
                raise ValueError(f'Motion: the joint name {name!r} is not allowed: no blank, comma, quote, brace')
        for name in ('observed', 'root_observed', 'joint_observed'):
            self._check_flags(name)
        if self.observed is None:
            observed = np.concatenate([~block.gaps for block in self.blocks()])
            object.__setattr__(self, 'observed', observed)
        self._check_times()
        self._check_up()
        self._check_radius()

    def blocks(self) -> Iterator[MotionFrames]:
        """Yield the frames in order, at most :data:`BLOCK_FRAMES` at a time."""
        for frames in frame_blocks(self.num_frames):
            yield self.part(frames)

    def part(self, frames: slice) -> MotionFrames:
        """Return consecutive frames; ``frames.start`` is between 0 and the number of frames."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in PER_FRAME:
            values[name] = None if values[name] is None else values[name][frames]
        return MotionFrames(**values | {'first_frame': self.first_frame + frames.start})

    def ever_known(self) -> np.ndarray:
        """Return (K,) bool: the joint has a position in at least one frame."""
        return np.any([block.known.any(0) for block in self.blocks()], axis=0)

    def with_up(self) -> Motion:
        """Return the motion with ``up``: its own, or that of :func:`posediff.geometry.up_axis.estimate_up`."""
        if self.up is not None:
            return self
        found = estimate_up(self.joints_3d, self.skeleton)
        return replace(self, up=found.up, up_source=found.source, up_note=found.note)

    def y_up_metres(self) -> np.ndarray:
        """Return joints (F, K, 3) in metres, file axes: right-handed, y up, z towards the camera; NaN if unknown."""
        return super().y_up_metres() if self.up is not None else self.with_up().y_up_metres()

    def _checked_joints(self, given: np.ndarray) -> np.ndarray:
        """Return float64 joints without infinite values, in which a joint is known or NaN."""
        keep = not given.flags.writeable and given.dtype == np.float64
        joints = given if keep else np.array(given, dtype=np.float64)
        any_known = False
        for frames in frame_blocks(len(joints)):
            part = joints[frames]
            if np.isinf(part).any():
                frame, joint, axis = np.argwhere(np.isinf(part))[0].tolist()
                where = f'frame {frames.start + frame}, {self._name(joint)}'
                raise ValueError(f'Motion: joints_3d of {where}, is {part[frame, joint]}')
            known = np.isfinite(part)
            partial = known.any(-1) & ~known.all(-1)
            if partial.any():
                if not joints.flags.writeable:
                    joints = joints.copy()
                joints[frames][partial] = np.nan
            any_known = any_known or bool((known.all(-1)).any())
        if not any_known:
            raise ValueError(f'Motion: no joint is known in any of the {len(joints)} frames')
        return joints

    def _check_flags(self, name: str) -> None:
        """Check shape and type of per-frame or per-joint flags, and that they are false where they cannot be true."""
        if getattr(self, name) is None:
            return
        flags = np.asarray(getattr(self, name))
        shape = self.joints_3d.shape[: 2 if name == 'joint_observed' else 1]
        if flags.shape != shape or flags.dtype != bool:
            raise ValueError(f'Motion: {name} must be {shape} bool like joints_3d, got {flags.shape} {flags.dtype}')
        for frames in frame_blocks(len(flags)):
            known = np.isfinite(self.joints_3d[frames]).all(-1)
            wrong = np.argwhere(flags[frames] & ~(known if flags.ndim == 2 else known.any(-1)))
            if len(wrong):
                frame, *joint = wrong[0].tolist()
                at = f'frame {frames.start + frame}'
                what = f'{at}, {self._name(joint[0])},' if joint else at
                unknown = 'its position is unknown' if joint else 'no joint has a known position in it'
                raise ValueError(f'Motion: {what} is marked as {name}, but {unknown}')

    def _check_radius(self) -> None:
        if self.radius_90 is None:
            return
        shape = self.joints_3d.shape[:2]
        if np.shape(self.radius_90) != shape:
            raise ValueError(f'Motion: radius_90 must be {shape} like joints_3d, got {np.shape(self.radius_90)}')
        for frames in frame_blocks(self.num_frames):
            wrong = np.argwhere((self.radius_90[frames] < 0) | np.isinf(self.radius_90[frames]))
            if len(wrong):
                frame, joint = wrong[0].tolist()
                value = self.radius_90[frames][frame, joint]
                raise ValueError(f'Motion: radius_90 of frame {frames.start + frame}, {self._name(joint)}, is {value}')

    def _check_times(self) -> None:
        if self.times_s is None:
            return
        times = np.asarray(self.times_s, dtype=np.float64)
        right = times.shape == (self.num_frames,) and all(
            np.isfinite(part).all() and (np.diff(part) > 0).all()
            for part in (times[max(0, frames.start - 1) : frames.stop] for frames in frame_blocks(len(times)))
        )
        if not right:
            raise ValueError(f'Motion: times_s must be {self.num_frames} increasing seconds, got {self.times_s}')
        object.__setattr__(self, 'times_s', times)

    def _check_up(self) -> None:
        if self.up is None:
            if self.up_source is not None:
                raise ValueError(f'Motion: up_source is {self.up_source!r}, but there is no up')
            return
        up = np.asarray(self.up, dtype=np.float64)
        if up.shape != (3,) or not abs(np.linalg.norm(up) - 1) <= UNIT_TOLERANCE:
            raise ValueError(f'Motion: up must be a unit vector of 3 camera coordinates, got {self.up}')
        object.__setattr__(self, 'up', up / np.linalg.norm(up))
        object.__setattr__(self, 'up_source', 'given' if self.up_source is None else self.up_source)
        require_one_of('Motion', 'up_source', self.up_source, UP_SOURCES)

    def _name(self, joint: int) -> str:
        return f'joint {self.skeleton.joint_names[joint]!r}'


def frame_blocks(num_frames: int) -> Iterator[slice]:
    """Yield slices of at most :data:`BLOCK_FRAMES` frames that cover ``num_frames``."""
    for start in range(0, num_frames, BLOCK_FRAMES):
        yield slice(start, min(start + BLOCK_FRAMES, num_frames))


def plain(value: Any) -> Any:
    """Convert arrays to lists rounded to 6 decimals, for JSON."""
    return np.round(np.asarray(value, dtype=np.float64), 6).tolist()

"""Motion of one person, the input of all writers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from posediff.geometry.up_axis import estimate_up, y_up_rotation
from posediff.structures.argument_checks import require_one_of, require_whole
from posediff.structures.skeletons import Skeleton

UP_SOURCES = ('given', 'estimated', 'assumed')
UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Motion:
    """3D joints of one person over a clip, with the metadata that files need.

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

    Raises:
        ValueError: A value has a wrong shape, is infinite, or contradicts another.
    """

    joints_3d: np.ndarray
    skeleton: Skeleton
    fps: float
    absolute: bool = False
    track_id: int = 0
    observed: np.ndarray | None = None
    joint_observed: np.ndarray | None = None
    root_observed: np.ndarray | None = None
    first_frame: int = 0
    times_s: np.ndarray | None = None
    up: np.ndarray | None = None
    up_source: str | None = None
    up_note: str = ''

    def __post_init__(self) -> None:
        joints = np.asarray(self.joints_3d, dtype=np.float64)
        if joints.ndim != 3 or joints.shape[1:] != (self.skeleton.num_joints, 3) or len(joints) == 0:
            raise ValueError(
                f'Motion: joints_3d of skeleton {self.skeleton.name!r} must be (F, {self.skeleton.num_joints}, 3) with '
                f'at least one frame, got shape {joints.shape}'
            )
        if np.isinf(joints).any():
            frame, joint, _ = np.argwhere(np.isinf(joints))[0].tolist()
            raise ValueError(f'Motion: joints_3d of frame {frame}, {self._name(joint)}, is {joints[frame, joint]}')
        known = _finite(joints)
        if not known.any():
            raise ValueError(f'Motion: no joint is known in any of the {len(joints)} frames')
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f'Motion: fps must be positive, got {self.fps}')
        require_whole('Motion', {'track_id': self.track_id, 'first_frame': self.first_frame}, least=0)
        for name in self.skeleton.joint_names:
            if re.search(r'[\s,;"{}]', name) or not name:
                raise ValueError(f'Motion: the joint name {name!r} is not allowed: no blank, comma, quote, brace')
        object.__setattr__(self, 'joints_3d', np.where(known[..., None], joints, np.nan))
        for name, possible in (('observed', ~self.gaps), ('root_observed', ~self.gaps), ('joint_observed', known)):
            self._check_flags(name, possible)
        if self.observed is None:
            object.__setattr__(self, 'observed', ~self.gaps)
        self._check_times()
        self._check_up()

    @property
    def num_frames(self) -> int:
        return len(self.joints_3d)

    @property
    def clock(self) -> np.ndarray:
        """(F,) seconds since the video's first frame."""
        if self.times_s is not None:
            return self.times_s
        return np.asarray((self.first_frame + np.arange(self.num_frames)) / self.fps)

    @property
    def seen(self) -> np.ndarray:
        """(F, K) bool: the joint has a position and the camera saw it."""
        if self.joint_observed is not None:
            return self.joint_observed
        assert self.observed is not None
        return np.asarray(self.known & self.observed[:, None])

    @property
    def placed(self) -> np.ndarray:
        """(F,) bool: the person's position was observed in the frame itself."""
        assert self.observed is not None
        return self.observed if self.root_observed is None else self.root_observed

    @property
    def joint_names(self) -> tuple[str, ...]:
        return self.skeleton.joint_names

    @property
    def known(self) -> np.ndarray:
        """(F, K) bool: the joint has a position."""
        return _finite(self.joints_3d)

    @property
    def complete(self) -> np.ndarray:
        """(F,) bool: every joint has a position."""
        return np.asarray(self.known.all(-1))

    @property
    def gaps(self) -> np.ndarray:
        """(F,) bool: no joint has a position."""
        return np.asarray(~self.known.any(-1))

    def with_up(self) -> Motion:
        """Return the motion with ``up``: its own, or that of :func:`posediff.geometry.up_axis.estimate_up`."""
        if self.up is not None:
            return self
        found = estimate_up(self.joints_3d, self.skeleton)
        return replace(self, up=found.up, up_source=found.source, up_note=found.note)

    def y_up_metres(self) -> np.ndarray:
        """Return joints (F, K, 3) in metres, file axes: right-handed, y up, z towards the camera; NaN if unknown."""
        motion = self.with_up()
        assert motion.up is not None
        rotated: np.ndarray = self.joints_3d @ y_up_rotation(motion.up).T / 1000
        return rotated

    def _check_flags(self, name: str, possible: np.ndarray) -> None:
        """Check shape and type of per-frame or per-joint flags, and that they are false where they cannot be true."""
        if getattr(self, name) is None:
            return
        flags = np.asarray(getattr(self, name))
        if flags.shape != possible.shape or flags.dtype != bool:
            raise ValueError(
                f'Motion: {name} must be {possible.shape} bool like joints_3d, got {flags.shape} {flags.dtype}'
            )
        wrong = np.argwhere(flags & ~possible)
        if len(wrong):
            frame, *joint = wrong[0].tolist()
            what = f'frame {frame}, {self._name(joint[0])},' if joint else f'frame {frame}'
            unknown = 'it is not known' if joint else 'no joint of it is known'
            raise ValueError(f'Motion: {what} is marked as {name}, but {unknown}')

    def _check_times(self) -> None:
        if self.times_s is None:
            return
        times = np.asarray(self.times_s, dtype=np.float64)
        if times.shape != (self.num_frames,) or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
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


def _finite(joints: np.ndarray) -> np.ndarray:
    finite: np.ndarray = np.isfinite(joints).all(-1)
    return finite


def frame_ranges(marked: np.ndarray) -> list[list[int]]:
    """Return the first and last frame (inclusive, from 0) of every run of true values in (F,) bool."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(int)))
    return [[int(first), int(last) - 1] for first, last in edges.reshape(-1, 2)]


def plain(value: Any) -> Any:
    """Convert arrays to lists rounded to 6 decimals, for JSON."""
    return np.round(np.asarray(value, dtype=np.float64), 6).tolist()

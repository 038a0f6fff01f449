"""Consecutive frames of the motion of one person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.geometry.up_axis import y_up_rotation
from posediff.structures.skeletons import Skeleton


@dataclass(frozen=True)
class MotionFrames:
    """Consecutive frames of a :class:`~posediff.export.motion.Motion`: F of them, K joints, with its attributes.

    Values are not checked, and all frames may be gaps.
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
    radius_90: np.ndarray | None = None

    @property
    def num_frames(self) -> int:
        return len(self.joints_3d)

    @property
    def joint_names(self) -> tuple[str, ...]:
        return self.skeleton.joint_names

    @property
    def clock(self) -> np.ndarray:
        """(F,) seconds since the video's first frame."""
        if self.times_s is not None:
            return self.times_s
        return np.asarray((self.first_frame + np.arange(self.num_frames)) / self.fps)

    @property
    def known(self) -> np.ndarray:
        """(F, K) bool: the joint has a position."""
        return np.asarray(np.isfinite(self.joints_3d).all(-1))

    @property
    def complete(self) -> np.ndarray:
        """(F,) bool: every joint has a position."""
        return np.asarray(self.known.all(-1))

    @property
    def gaps(self) -> np.ndarray:
        """(F,) bool: no joint has a position."""
        return np.asarray(~self.known.any(-1))

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

    def y_up_metres(self) -> np.ndarray:
        """Return joints (F, K, 3) in metres, file axes: right-handed, y up, z towards the camera; NaN if unknown."""
        assert self.up is not None
        return to_y_up_metres(self.joints_3d, self.up)


def to_y_up_metres(joints_3d: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Return joints (…, 3), mm in camera axes, in metres and file axes: right-handed, y up, z towards the camera."""
    rotated: np.ndarray = joints_3d @ y_up_rotation(up).T / 1000
    return rotated

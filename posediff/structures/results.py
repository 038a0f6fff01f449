"""Per-frame results of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class PersonPose:
    """The pose of one person in one frame.

    Attributes:
        track_id: Track of the person.
        observed: False if the person was not detected in this frame and the pose is interpolated from other frames.
        box: (4,) float32 px: left, top, right, bottom; NaN if not observed.
        keypoints_2d: (K, 2) float32 px, in the pose estimator's skeleton; NaN if not observed.
        keypoint_scores: (K,) float32 in [0, 1]; 0 if not observed.
        joints_3d: (J, 3) float32 mm relative to the root joint, in the lifter's skeleton; camera axes: x right, y down,
            z forward.
        joints_3d_std: (J,) float32 mm, spread of the hypotheses.
        root_position: (3,) float32 mm, root joint in the camera frame; NaN if unknown.
        joint_observed: (J,) bool. False if the lifter had no 2D input for the joint in this frame, or its keypoint was
            outside the image; ``joints_3d`` is then the lifter's prediction.
        root_observed: False if ``root_position`` is interpolated from neighbouring frames.
        joints_3d_radius_90: (J,) float32 mm, radius around the lifted joint, before smoothing, that holds 90 % of the
            hypotheses; None: not known, as in files of earlier versions.
    """

    track_id: int
    observed: bool
    box: np.ndarray
    keypoints_2d: np.ndarray
    keypoint_scores: np.ndarray
    joints_3d: np.ndarray
    joints_3d_std: np.ndarray
    root_position: np.ndarray
    joint_observed: np.ndarray
    root_observed: bool
    joints_3d_radius_90: np.ndarray | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class FrameResult:
    """The poses of one frame.

    Attributes:
        frame_index: Frame index, from 0.
        time_s: Seconds since the first frame.
        people: The persons in the frame, sorted by ``track_id``.
    """

    frame_index: int
    time_s: float
    people: tuple[PersonPose, ...]

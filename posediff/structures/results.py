"""What comes out of the pipeline, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PersonPose:
    """One person in one frame.

    Attributes:
        track_id: The person.
        observed: False where the person was not found and the pose is filled in from the frames around.
        box: (4,) float32 px: left, top, right, bottom; NaN where not observed.
        keypoints_2d: (K, 2) float32 px, in the estimator's skeleton; NaN where not observed.
        keypoint_scores: (K,) float32 in [0, 1]; 0 where not observed.
        joints_3d: (J, 3) float32 mm relative to the root joint, in the lifter's skeleton; camera axes: x right, y down,
            z forward.
        joints_3d_std: (J,) float32 mm, how far the hypotheses disagree.
        root_position: (3,) float32 mm, the root joint in the camera frame; NaN where it is not known.
        joint_observed: (J,) bool. False: the lifter did not get the joint in this frame, or an estimator had put it
            outside the picture; what ``joints_3d`` has there is what the lifter takes for likely.
        root_observed: False where ``root_position`` is not that of this frame, but between those of the frames around.
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


@dataclass(frozen=True)
class FrameResult:
    """One frame.

    Attributes:
        frame_index: From 0.
        time_s: Seconds since the first frame.
        people: Everybody who is there, by ``track_id``.
    """

    frame_index: int
    time_s: float
    people: tuple[PersonPose, ...]

"""Joint names of PoseTrack, in the order of its files."""

from __future__ import annotations

EVALUATED_JOINTS = (
    'right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee', 'left_ankle', 'right_wrist', 'right_elbow',
    'right_shoulder', 'left_shoulder', 'left_elbow', 'left_wrist', 'neck', 'nose', 'head_top',
)  # fmt: skip
"""The evaluated joints, by their id in PoseTrack17 files."""

NUM_JOINTS = len(EVALUATED_JOINTS)

EVALUATED_KEYPOINTS = tuple('head_bottom' if name == 'neck' else name for name in EVALUATED_JOINTS)
"""The evaluated joints by their PoseTrack18 names."""

POSETRACK18_KEYPOINTS = (
    'nose', 'head_bottom', 'head_top', 'left_ear', 'right_ear', 'left_shoulder', 'right_shoulder', 'left_elbow',
    'right_elbow', 'left_wrist', 'right_wrist', 'left_hip', 'right_hip', 'left_knee', 'right_knee', 'left_ankle',
    'right_ankle',
)  # fmt: skip
"""The 17 keypoints of PoseTrack18 files; the ears are not evaluated."""

POSETRACK18_SIGMAS = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089,
    0.089,
)  # fmt: skip
"""Sigmas of :data:`POSETRACK18_KEYPOINTS` (spread among annotators) for object keypoint similarity."""

GROUPS = {
    'Head': ('neck', 'nose', 'head_top'),
    'Shoulder': ('right_shoulder', 'left_shoulder'),
    'Elbow': ('right_elbow', 'left_elbow'),
    'Wrist': ('right_wrist', 'left_wrist'),
    'Hip': ('right_hip', 'left_hip'),
    'Knee': ('right_knee', 'left_knee'),
    'Ankle': ('right_ankle', 'left_ankle'),
}
"""Joint groups, as tabulated in papers."""

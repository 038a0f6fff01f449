"""2D pose estimation for the persons in a frame."""

from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.pose_estimation.keypoints_file import KeypointsFileEstimator
from posediff.pose_estimation.mediapipe_landmarks import MediaPipePoseEstimator
from posediff.pose_estimation.movenet import MoveNetEstimator
from posediff.pose_estimation.topdown import DiffPoseEstimator, MMPoseEstimator

__all__ = [
    'BasePoseEstimator',
    'DiffPoseEstimator',
    'FrameWindow',
    'KeypointsFileEstimator',
    'MMPoseEstimator',
    'MediaPipePoseEstimator',
    'MoveNetEstimator',
]

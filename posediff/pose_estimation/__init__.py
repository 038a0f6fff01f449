"""2D pose estimation for the persons in a frame."""

from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.pose_estimation.diffpose import DiffPoseEstimator
from posediff.pose_estimation.keypoints_file import KeypointsFileEstimator
from posediff.pose_estimation.mediapipe_landmarks import MediaPipePoseEstimator
from posediff.pose_estimation.mmpose_models import MMPoseEstimator
from posediff.pose_estimation.movenet import MoveNetEstimator

__all__ = [
    'BasePoseEstimator',
    'DiffPoseEstimator',
    'FrameWindow',
    'KeypointsFileEstimator',
    'MMPoseEstimator',
    'MediaPipePoseEstimator',
    'MoveNetEstimator',
]

"""Contract tests of the 2D pose estimators of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing import ContractCase
from posediff.testing.contracts.pose_estimators import PoseEstimatorContract
from posediff.testing.example_files import write_keypoints
from posediff.testing.tiny_models import diffpose_config

CASES = {
    'DiffPoseEstimator': [ContractCase(lambda folder: {'config': diffpose_config(), 'checkpoint': 'random'})],
    'KeypointsFileEstimator': [ContractCase(lambda folder: {'path': write_keypoints(folder), 'skeleton': 'coco17'})],
    'MMPoseEstimator': [{'model': 'rtmpose-t_8xb256-420e_body8-256x192', 'checkpoint': 'random'}],
    'MediaPipePoseEstimator': [{}],
    'MoveNetEstimator': [{'variant': 'lightning', 'checkpoint': 'random', 'input_size': (64, 64)}],
}


class TestPoseEstimators(PoseEstimatorContract):
    cases = CASES

"""Networks that compute the condition of a denoiser from the observed clips."""

from posediff.models.conditioners.base import BaseConditioner
from posediff.models.conditioners.frozen_lifter import FrozenLifterConditioner, LifterConditioner
from posediff.models.conditioners.heatmaps import HeatmapConditioner
from posediff.models.conditioners.keypoints_2d import Keypoints2DConditioner
from posediff.models.conditioners.lifted_pose import LiftedPoseConditioner
from posediff.models.conditioners.pose_prior import PosePriorConditioner
from posediff.models.conditioners.spatiotemporal import SingleFrameConditioner, SpatioTemporalConditioner

__all__ = [
    'BaseConditioner',
    'FrozenLifterConditioner',
    'HeatmapConditioner',
    'Keypoints2DConditioner',
    'LiftedPoseConditioner',
    'LifterConditioner',
    'PosePriorConditioner',
    'SingleFrameConditioner',
    'SpatioTemporalConditioner',
]

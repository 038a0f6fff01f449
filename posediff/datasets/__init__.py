"""Datasets of pose clips and video clips, split into windows."""

from posediff.datasets.human36m import Human36MLiftingDataset
from posediff.datasets.jhmdb import JhmdbClipDataset
from posediff.datasets.mixed import WeightedConcatDataset
from posediff.datasets.mocap import CMUMocapDataset
from posediff.datasets.pose_windows import PoseWindowDataset
from posediff.datasets.posetrack import PoseTrackClipDataset

__all__ = [
    'CMUMocapDataset',
    'Human36MLiftingDataset',
    'JhmdbClipDataset',
    'PoseTrackClipDataset',
    'PoseWindowDataset',
    'WeightedConcatDataset',
]

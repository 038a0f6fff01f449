"""Datasets: clips of poses, cut into windows."""

from posediff.datasets.human36m import Human36MLiftingDataset
from posediff.datasets.mocap import CMUMocapDataset
from posediff.datasets.pose_windows import PoseWindowDataset

__all__ = ['CMUMocapDataset', 'Human36MLiftingDataset', 'PoseWindowDataset']

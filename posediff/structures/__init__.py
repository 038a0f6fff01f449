"""Data records passed between stages, and the skeletons of their joints."""

from posediff.structures.samples import PoseDataSample

__all__ = ['PoseDataSample']

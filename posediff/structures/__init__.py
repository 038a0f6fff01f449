"""Records that stages hand to each other, and the skeletons that their joints belong to."""

from posediff.structures.samples import PoseDataSample

__all__ = ['PoseDataSample']

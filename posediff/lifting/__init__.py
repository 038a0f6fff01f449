"""Lift 2D keypoints to 3D: whole clips, or the people of a video frame by frame."""

from posediff.lifting.clip import lift_keypoints
from posediff.lifting.stream import LiftedFrames, LiftingStream

__all__ = ['LiftedFrames', 'LiftingStream', 'lift_keypoints']

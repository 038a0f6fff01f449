"""From 2D keypoints to 3D: whole clips, or people frame by frame as a video goes on."""

from posediff.lifting.clip import lift_keypoints
from posediff.lifting.stream import LiftedFrames, LiftingStream

__all__ = ['LiftedFrames', 'LiftingStream', 'lift_keypoints']

"""From a video to the people in it, in 3D: the stages put together."""

from posediff.pipeline.inferencer import VideoPoseInferencer
from posediff.structures.results import FrameResult, PersonPose

__all__ = ['FrameResult', 'PersonPose', 'VideoPoseInferencer']

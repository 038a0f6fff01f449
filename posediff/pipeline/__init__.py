"""The pipeline from a video to the people in it, in 3D: description, components, run."""

from posediff.pipeline.inferencer import VideoPoseInferencer
from posediff.structures.results import FrameResult, PersonPose

__all__ = ['FrameResult', 'PersonPose', 'VideoPoseInferencer']

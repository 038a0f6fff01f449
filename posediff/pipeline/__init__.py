"""The pipeline from a video to the 3D poses of the persons in it: description, components, run."""

from posediff.pipeline.inferencer import VideoPoseInferencer
from posediff.structures.results import FrameResult, PersonPose

__all__ = ['FrameResult', 'PersonPose', 'VideoPoseInferencer']

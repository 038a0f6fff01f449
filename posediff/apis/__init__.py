"""The Python API: load models, lift keypoints, and estimate people in 3D from video."""

from posediff.apis.pretrained import from_pretrained
from posediff.engine.model_building import init_model, load_weights
from posediff.lifting import lift_keypoints
from posediff.pipeline import VideoPoseInferencer

__all__ = ['VideoPoseInferencer', 'from_pretrained', 'init_model', 'lift_keypoints', 'load_weights']

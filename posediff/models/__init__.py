"""The networks, and the estimator that combines them."""

from posediff.models.clip_preprocessor import ClipPreprocessor
from posediff.models.data_preprocessor import LiftingPreprocessor
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.models.heads.mmpose_heatmap import float32_heatmap_head
from posediff.models.lifters import LinearLifter, MixSTE, ResidualMLP, TemporalConvolution
from posediff.models.losses import MixSTELoss, PoseDistanceLoss, SquaredErrorLoss
from posediff.models.temporal_average import temporal_average_estimator

__all__ = [
    'ClipPreprocessor',
    'LiftingPreprocessor',
    'LinearLifter',
    'MixSTE',
    'MixSTELoss',
    'PoseDiffusionEstimator',
    'PoseDistanceLoss',
    'ResidualMLP',
    'SquaredErrorLoss',
    'TemporalConvolution',
    'float32_heatmap_head',
    'temporal_average_estimator',
]

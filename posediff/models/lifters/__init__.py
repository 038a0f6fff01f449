"""Deterministic 2D-to-3D networks."""

from posediff.models.lifters.graformer import GraFormer
from posediff.models.lifters.mixste import MixSTE
from posediff.models.lifters.per_frame import LinearLifter, ResidualMLP
from posediff.models.lifters.temporal_convolution import TemporalConvolution
from posediff.models.lifters.temporal_transformer import TemporalTransformer

__all__ = ['GraFormer', 'LinearLifter', 'MixSTE', 'ResidualMLP', 'TemporalConvolution', 'TemporalTransformer']

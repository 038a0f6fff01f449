"""Aggregation of M hypotheses to one pose."""

from posediff.aggregation.base import BaseAggregator
from posediff.aggregation.density import DensityAggregator
from posediff.aggregation.joint_reprojection import (
    JointReprojectionAggregator,
    ReprojectionExpectationAggregator,
    WeightedAggregator,
)
from posediff.aggregation.mean_median import MeanAggregator, MedianAggregator

__all__ = [
    'BaseAggregator',
    'DensityAggregator',
    'JointReprojectionAggregator',
    'MeanAggregator',
    'MedianAggregator',
    'ReprojectionExpectationAggregator',
    'WeightedAggregator',
]

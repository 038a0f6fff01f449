"""Adapters between MMEngine's evaluator and the functions of :mod:`posediff.evaluation`."""

from posediff.evaluation.metrics.lifting import LiftingMetric
from posediff.evaluation.metrics.pck import KeypointPCK
from posediff.evaluation.metrics.posetrack import PoseTrackAP

__all__ = ['KeypointPCK', 'LiftingMetric', 'PoseTrackAP']

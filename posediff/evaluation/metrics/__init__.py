"""Adapters between MMEngine's evaluator and the functions of :mod:`posediff.evaluation`."""

from posediff.evaluation.metrics.lifting import LiftingMetric

__all__ = ['LiftingMetric']

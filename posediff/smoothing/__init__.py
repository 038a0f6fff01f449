"""Temporal filters for keypoints and joints."""

from posediff.smoothing.base import BaseSmoother, SmoothingStream
from posediff.smoothing.one_euro import OneEuroSmoother
from posediff.smoothing.symmetric import GaussianSmoother, SavitzkyGolaySmoother

__all__ = ['BaseSmoother', 'GaussianSmoother', 'OneEuroSmoother', 'SavitzkyGolaySmoother', 'SmoothingStream']

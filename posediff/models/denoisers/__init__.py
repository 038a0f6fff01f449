"""Networks that look at a noisy signal."""

from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.denoisers.graph import CTGCNDenoiser

__all__ = ['BaseDenoiser', 'CTGCNDenoiser']

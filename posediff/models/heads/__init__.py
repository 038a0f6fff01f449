"""Heads: the border between poses in users' units and the state that is diffused."""

from posediff.models.heads.base import BaseHead
from posediff.models.heads.heatmap import HeatmapHead
from posediff.models.heads.lifting import LiftingHead

__all__ = ['BaseHead', 'HeatmapHead', 'LiftingHead']

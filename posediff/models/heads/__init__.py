"""Heads: conversion between poses in physical units and the diffused state x_0."""

from posediff.models.heads.base import BaseHead
from posediff.models.heads.heatmap import HeatmapHead
from posediff.models.heads.keypoint import KeypointHead
from posediff.models.heads.lifting import LiftingHead
from posediff.models.heads.observed_lifting import ObservedLiftingHead

__all__ = ['BaseHead', 'HeatmapHead', 'KeypointHead', 'LiftingHead', 'ObservedLiftingHead']

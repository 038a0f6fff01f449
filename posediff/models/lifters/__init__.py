"""Deterministic 2D-to-3D networks."""

from posediff.models.lifters.mixste import MixSTE

__all__ = ['MixSTE']

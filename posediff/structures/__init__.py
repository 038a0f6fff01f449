"""Data classes that the stages exchange, and the definitions of skeletons."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posediff.structures.samples import PoseDataSample

__all__ = ['PoseDataSample']


def __getattr__(name: str) -> Any:
    """Import :class:`PoseDataSample` on first use: it needs MMEngine and PyTorch, the rest of the folder does not."""
    if name == 'PoseDataSample':
        return import_module('posediff.structures.samples').PoseDataSample
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')

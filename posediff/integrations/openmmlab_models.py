"""Build models of MMDetection and MMPose, with clear errors if weights cannot be downloaded."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any
from urllib.error import URLError

import torch
from mmengine.registry import DefaultScope


def loaded(package: str, model: str, weights: str | None, build: Callable[[], Any]) -> Any:
    """Build a model of MMDetection or MMPose with the package's default scope; restore the previous scope afterwards.

    Random weights depend on torch's global seed.

    Args:
        package: ``'mmdet'`` or ``'mmpose'``.
        model: Name of the model, for the message.
        weights: Weights loaded by ``build``; None for random weights.
        build: Builds the model and loads its weights, e.g. with MMPose's ``init_model``.

    Returns:
        The result of ``build``.

    Raises:
        ConnectionError: The weights could not be downloaded; the message says what to do.
    """
    try:
        with warnings.catch_warnings(), DefaultScope.overwrite_default_scope(package):
            warnings.simplefilter('ignore')  # about class names and palettes, which are not used
            return build()
    except (URLError, TimeoutError, OSError) as error:
        if weights is None or '://' not in weights:
            raise
        folder = torch.hub.get_dir()
        raise ConnectionError(
            f'the weights of {model} could not be downloaded ({error}): fetch {weights} and give the file as the '
            f'checkpoint, or put it into {folder}/checkpoints'
        ) from error

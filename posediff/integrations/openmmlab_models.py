"""Build models of MMDetection and MMPose, whose errors say little when weights cannot be had."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any
from urllib.error import URLError

import torch
from mmengine.registry import DefaultScope


def loaded(package: str, model: str, weights: str | None, build: Callable[[], Any]) -> Any:
    """Build a model; random weights follow from torch's seed.

    The packages make themselves the scope in which MMEngine looks up names, for good; that is undone.

    Args:
        package: ``'mmdet'`` or ``'mmpose'``.
        model: Its name, for the message.
        weights: What ``build`` loads, None for random weights.
        build: Builds it.

    Raises:
        ConnectionError: The weights could not be downloaded; the message says what to do.
    """
    try:
        with warnings.catch_warnings(), DefaultScope.overwrite_default_scope(package):
            warnings.simplefilter('ignore')  # about class names and colours that nobody asks for
            return build()
    except (URLError, TimeoutError, OSError) as error:
        if weights is None or '://' not in weights:
            raise
        folder = torch.hub.get_dir()
        raise ConnectionError(
            f'the weights of {model} could not be downloaded ({error}): fetch {weights} and give the file as the '
            f'checkpoint, or put it into {folder}/checkpoints'
        ) from error

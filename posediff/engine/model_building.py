"""Build models from configs and load their checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from posediff.engine.config import load_config, require_parts
from posediff.fileio.checkpoint import check_state, load_state
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.plugins.entry_points import load_plugins
from posediff.registry import MODELS


def init_model(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    device: str | torch.device = 'cpu',
    cfg_options: Mapping[str, Any] | None = None,
) -> PoseDiffusionEstimator:
    """Build an estimator in eval mode.

    Args:
        config: Config file or loaded config.
        checkpoint: Checkpoint file, loaded strictly. None: random weights; no weight file is read or downloaded.
        device: Device of the model.
        cfg_options: Overrides, ``{'model.test_cfg.num_hypotheses': 5}``.

    Returns:
        The estimator; its config is in ``.cfg``.

    Raises:
        FileNotFoundError, ValueError, posediff.fileio.checkpoint.UnsafeCheckpointError: The config or the checkpoint is
            missing, malformed, or does not fit.
    """
    load_plugins()
    cfg = load_config(config, cfg_options)
    require_parts(cfg, 'model')
    try:
        with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'posediff')):
            model = MODELS.build(cfg.model)
    except TypeError as error:  # MMEngine's error for an unknown argument of a component
        raise ValueError(f'{cfg.filename or "the config"}: {error}') from error
    if checkpoint is not None:
        load_weights(model, checkpoint)
    model.cfg = cfg
    return model.to(device).eval()


def load_weights(model: torch.nn.Module, checkpoint: str | Path) -> None:
    """Load a checkpoint into a model; keys and shapes must match exactly.

    Raises:
        ValueError: Keys or shapes differ; the message names the first few.
    """
    state = load_state(checkpoint)
    check_state(model, state, checkpoint)
    model.load_state_dict(state)

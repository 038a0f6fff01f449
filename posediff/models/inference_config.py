"""The part of a training config that inference needs."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.config import Config

from posediff.structures.references import refuse_references

INFERENCE_KEYS = ('default_scope', 'custom_imports', 'num_frames', 'fps', 'model', 'test_pipeline')
WEIGHT_SOURCES: dict[str, dict[str, Any]] = {
    'conditioner': {'checkpoint': None},
    'backbone': {'checkpoint': None, 'pretrained': False},
}
"""For each part of the model: options that name initial weights for training → values that disable them."""


def inference_config(cfg: Config, origin: str | None = None) -> Config:
    """Return a config reduced to the keys of inference, :data:`INFERENCE_KEYS`.

    Datasets, schedules, paths and sources of initial weights are dropped.

    Args:
        cfg: A whole config; it is not changed.
        origin: Source of the config, named in error messages; None: the name of its file.

    Returns:
        A new config without ``_base_``. It names no initial weights, because a checkpoint of the whole model contains
        those of the backbone and of a frozen lifter.

    Raises:
        ValueError: There is no model in ``cfg``, or a reference in it was not resolved.
    """
    origin = origin or cfg.filename or 'the config'
    if not isinstance(cfg.get('model'), dict):
        raise ValueError(f'{origin} has no model')
    refuse_references({key: cfg[key] for key in INFERENCE_KEYS if key in cfg}, origin)
    kept = copy.deepcopy({key: cfg.to_dict()[key] for key in INFERENCE_KEYS if key in cfg})
    for part, switches in WEIGHT_SOURCES.items():
        options = kept['model'].get(part) or {}
        options.update({name: value for name, value in switches.items() if options.get(name)})
    _drop_init_cfg(kept['model'])
    return Config(kept)


def _drop_init_cfg(options: Any) -> None:
    """Delete every ``init_cfg`` in nested options, in place; it names initial weights for training."""
    if isinstance(options, dict):
        options.pop('init_cfg', None)
        for value in options.values():
            _drop_init_cfg(value)
    elif isinstance(options, (list, tuple)):
        for value in options:
            _drop_init_cfg(value)

"""Load models that are stored with their config: in posediff, in a folder or on the Hugging Face Hub."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from mmengine.config import Config

import posediff.assets
from posediff.apis.hub import HUB_ID, download
from posediff.engine.model_building import init_model
from posediff.fileio.literal_config import read_literal_config
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.models.pretrained_config import check_pretrained_config
from posediff.models.pretrained_folder import CONFIG_NAME, WEIGHTS_NAME


def from_pretrained(
    name: str | Path,
    device: str | torch.device = 'cpu',
    *,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
) -> PoseDiffusionEstimator:
    """Load a trained estimator in eval mode.

    No code of the model's author runs: the weights are safetensors, and the config is read as literals and checked
    (:func:`posediff.models.pretrained_config.check_pretrained_config`). Modules in its ``custom_imports`` are not
    imported; the caller or a plugin must have imported them.

    Args:
        name: One of

            * a packaged model: ``'lifter'`` or ``'diffpose'``;
            * a folder that :meth:`PoseDiffusionEstimator.save_pretrained` wrote (``'./lifter'`` for a folder of that
              name);
            * ``'owner/name'`` or ``'owner/name@revision'`` on the Hugging Face Hub, unless a folder has that name.
        device: Device of the model.
        cache_dir: Folder for downloads; None: huggingface_hub's cache.
        local_files_only: Read the model from the cache without using the network.

    Returns:
        The estimator, its config as ``.cfg``.

    Raises:
        FileNotFoundError: There is no such model, or one of its files is missing.
        ModuleNotFoundError: A Hub id is given and huggingface_hub is not installed, or a module that the config names
            in ``custom_imports`` is not imported.
        ValueError: The config or the weights are damaged or do not fit together, or the config names code, a file or
            an address.
    """
    if isinstance(name, str) and name in posediff.assets.SHIPPED:
        shipped = posediff.assets.SHIPPED[name]
        return init_model(shipped.config, shipped.checkpoint, device)
    folder = Path(name).expanduser()
    if not os.fspath(name) or not folder.is_dir():
        if not isinstance(name, str) or not HUB_ID.fullmatch(name):
            known = ', '.join(posediff.assets.SHIPPED)
            there = 'this is a file' if folder.is_file() else 'there is no such folder'
            raise FileNotFoundError(
                f'{os.fspath(name)!r} is not a model: {there}, it is not one of {known}, and an id on the Hugging Face '
                'Hub is owner/name or owner/name@revision'
            )
        folder = download(name, cache_dir, local_files_only)
    for file in (CONFIG_NAME, WEIGHTS_NAME):
        if not (folder / file).is_file():
            raise FileNotFoundError(f'{name} has no {file}: save_pretrained did not write this folder')
    config = folder / CONFIG_NAME
    values = read_literal_config(config)
    check_pretrained_config(values, f'config {config}')
    return init_model(Config(values, filename=str(config)), folder / WEIGHTS_NAME, device)

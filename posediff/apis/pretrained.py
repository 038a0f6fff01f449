"""Load a model that is stored with its config: one that ships, a folder, or one on the Hugging Face Hub."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

import posediff.assets
from posediff.apis.hub import HUB_ID, download
from posediff.engine.model_building import init_model
from posediff.fileio.literal_config import read_literal_config
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.models.pretrained_folder import CONFIG_NAME, WEIGHTS_NAME

SCOPES = ('diffusers', 'mmdet', 'mmpose', 'mmpretrain', 'posediff')
"""Packages whose components a config that is read and not run may name by ``package.Name``.

Not MMEngine: MMEngine's look-up takes functions too, and ``mmengine.load`` unpickles what an address holds.
"""


def from_pretrained(
    name: str | Path,
    device: str | torch.device = 'cpu',
    *,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
) -> PoseDiffusionEstimator:
    """Load a trained estimator in eval mode.

    No code of the model's author runs: the weights are safetensors, and the config is read as literals. A config may
    name modules to import in ``custom_imports``; these have to be installed.

    Args:
        name: One of

            * a model that ships: ``'lifter'`` or ``'diffpose'``;
            * a folder that :meth:`PoseDiffusionEstimator.save_pretrained` wrote (``'./lifter'`` for a folder of that
              name);
            * ``'owner/name'`` or ``'owner/name@revision'`` on the Hugging Face Hub, where no folder has that name.
        device: Where the model goes.
        cache_dir: Where downloads are kept; None: huggingface_hub's cache.
        local_files_only: Take the model from that cache and do not use the network.

    Returns:
        The estimator, its config as ``.cfg``.

    Raises:
        FileNotFoundError: There is no such model, or one of its files is missing.
        ModuleNotFoundError: A Hub id is given and huggingface_hub is not installed, or a module that the config names
            in ``custom_imports`` is not.
        ValueError: The config or the weights are damaged, do not fit together, or name code to run.
    """
    if isinstance(name, str) and name in posediff.assets.SHIPPED:
        shipped = posediff.assets.SHIPPED[name]
        return init_model(shipped.config, shipped.checkpoint, device)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if not isinstance(name, str) or not HUB_ID.fullmatch(name):
            known = ', '.join(posediff.assets.SHIPPED)
            raise FileNotFoundError(
                f'{os.fspath(name)!r} is no model: there is no such folder, it is not one of {known}, and an id on the '
                'Hugging Face Hub is owner/name or owner/name@revision'
            )
        folder = download(name, cache_dir, local_files_only)
    for file in (CONFIG_NAME, WEIGHTS_NAME):
        if not (folder / file).is_file():
            raise FileNotFoundError(f'{name} has no {file}: it is no model that save_pretrained wrote')
    return init_model(_read_config(folder / CONFIG_NAME), folder / WEIGHTS_NAME, device)


def _read_config(file: Path) -> Config:
    """Read a config without running it, and import what it names in ``custom_imports``."""
    values = read_literal_config(file)
    for component in _types(values):
        package, dot, rest = component.partition('.')
        if dot and (package not in SCOPES or '.' in rest):
            raise ValueError(
                f'config {file}: type {component!r} is a path to an object of another package; the config of a '
                f'pretrained model names registered components, alone or as package.Name with one of '
                f'{", ".join(SCOPES)}'
            )
    imports = values.get('custom_imports')
    if imports:
        if not (isinstance(imports, dict) and set(imports) <= {'imports', 'allow_failed_imports'}):
            raise ValueError(f'config {file}: custom_imports must be dict(imports=[MODULE, …]), got {imports!r}')
        try:
            import_modules_from_strings(**imports)
        except ImportError as error:
            modules = imports.get('imports')
            raise ModuleNotFoundError(
                f'config {file} needs the modules {modules}, which do not import: {error.__cause__ or error}'
            ) from error
    return Config(values, filename=str(file))


def _types(options: Any) -> Iterator[str]:
    """Every component that a config names."""
    if isinstance(options, dict):
        if isinstance(options.get('type'), str):
            yield options['type']
        options = options.values()
    elif not isinstance(options, (list, tuple)):
        return
    for value in options:
        yield from _types(value)

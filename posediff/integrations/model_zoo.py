"""Find models of OpenMMLab packages by name: installed configs and URLs of weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

RANDOM = 'random'


def find_model(package: str, model: str, checkpoint: str | Path | None) -> tuple[str, str | None]:
    """Find the config and weights of a model.

    Args:
        package: ``'mmpose'`` or ``'mmdet'``.
        model: A config file, or a name or alias in the package's model zoo, such as ``rtmpose-m_8xb256-…`` or
            ``human``.
        checkpoint: A file or URL; None: from the model zoo; ``'random'``: random weights.

    Returns:
        Path of the config, and path or URL of the weights; the latter is None for random weights.

    Raises:
        ModuleNotFoundError: The package is not installed.
        FileNotFoundError: A file does not exist.
        ValueError: No model has this name, or a config file was given without weights.
    """
    is_file = checkpoint is not None and checkpoint != RANDOM and '://' not in str(checkpoint)
    if is_file and not Path(str(checkpoint)).expanduser().is_file():
        raise FileNotFoundError(f'checkpoint {checkpoint} of {model} does not exist')
    given = Path(model).expanduser()
    if given.suffix == '.py':
        if not given.is_file():
            raise FileNotFoundError(f'config {model} does not exist')
        if checkpoint is None:
            raise ValueError(f"config {model} does not say where its weights are: give a checkpoint (or 'random')")
        return str(given), None if checkpoint == RANDOM else str(checkpoint)
    entry = _entry(package, model)
    weights = entry.get('Weights') if checkpoint is None else checkpoint
    if weights is None:
        raise ValueError(f'{package} publishes no weights of {model}: give a checkpoint')
    return str(_installed(package) / entry['Config']), None if weights == RANDOM else str(weights)


def _entry(package: str, model: str) -> dict[str, Any]:
    names = []
    for entry in _entries(package, containing=model):
        alias = entry.get('Alias') or []
        aliases = [alias] if isinstance(alias, str) else alias
        if model in (entry['Name'], *aliases):
            return entry
        names.append(entry['Name'])
    near = ', '.join(name for name in names if model in name)
    raise ValueError(
        f'{package} has no model {model!r}'
        + (f'; names with it: {near}' if near else '')
        + '. A config file ends in .py'
    )


def _entries(package: str, containing: str) -> Iterator[dict[str, Any]]:
    """Yield the models of those metafiles whose text contains a word, since parsing all metafiles takes seconds."""
    root = _installed(package)
    for name in yaml.safe_load((root / 'model-index.yml').read_text())['Import']:
        text = (root / name).read_text()
        if containing in text:
            document = yaml.safe_load(text)
            yield from document['Models'] if isinstance(document, dict) else document


def _installed(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f'{package} is not installed: `posediff setup openmmlab` installs it')
    return Path(spec.origin).parent / '.mim'

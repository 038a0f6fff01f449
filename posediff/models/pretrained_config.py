"""Check the config of a pretrained model, which may come from an untrusted source."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from posediff.models.inference_config import WEIGHT_SOURCES
from posediff.plugins.entry_points import import_components, load_plugins
from posediff.registry import REGISTRIES
from posediff.structures.references import find_references

SCOPES = ('diffusers', 'mmdet', 'mmpose', 'mmpretrain', 'posediff')
"""Packages whose registered components the config of a pretrained model may name as ``package.Name``.

MMEngine is excluded: its look-up also returns functions, and ``mmengine.load`` unpickles files, also from a URL.
"""
RESERVED = ('_base_', 'filename', 'text', 'pretty_text', 'env_variables')
"""Top-level keys that MMEngine's ``Config`` reserves."""
_ADDRESS = re.compile(r'[A-Za-z][\w+.-]*://|(hf[-_]hub|local-dir):')


def check_pretrained_config(values: Mapping[str, Any], origin: str) -> None:
    """Raise an error if a config from a folder or from the Hugging Face Hub contains what is not allowed there.

    Refused are parents (``_base_``), references, addresses, sources of weights other than the model's own file, types
    that are not components of the packages in :data:`SCOPES`, and modules to import that are not imported already.

    Args:
        values: The config, as read by :func:`posediff.fileio.literal_config.read_literal_config`.
        origin: Source of the config, named in error messages.

    Raises:
        ModuleNotFoundError: A module of ``custom_imports`` is not imported.
        ValueError: Something else is refused; the message names it.
    """
    for key in RESERVED:
        if key in values:
            raise ValueError(f'{origin}: {key} is not allowed in the config of a pretrained model')
    for place, reference in find_references(values):
        raise ValueError(f'{origin}: {place} = {reference!r} is a reference; a pretrained model has values only')
    for place, text in _texts(values):
        if _ADDRESS.match(text):
            raise ValueError(f'{origin}: {place} = {text!r} is an address outside the model')
    for place, option, value in _weight_sources(values):
        raise ValueError(f'{origin}: {place}.{option} = {value!r}: the weights of a pretrained model are in its folder')
    for place, key, name in _names(values, ''):
        _check_name(place, key, name, origin)
    _check_imports(values.get('custom_imports'), origin)


def _texts(part: Any, place: str = '') -> Iterator[tuple[str, str]]:
    """Yield every string, with its dotted key."""
    if isinstance(part, str):
        yield place, part
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _texts(value, f'{place}.{key}'.lstrip('.'))
    elif isinstance(part, (list, tuple)):
        for number, value in enumerate(part):
            yield from _texts(value, f'{place}.{number}'.lstrip('.'))


def _weight_sources(values: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield the options that name initial weights for training: place, option, value."""
    model = values.get('model')
    if not isinstance(model, Mapping):
        return
    for part, switches in WEIGHT_SOURCES.items():
        options = model.get(part)
        if isinstance(options, Mapping):
            yield from ((f'model.{part}', name, options[name]) for name in switches if options.get(name))
    yield from ((place, key, value) for place, key, value in _entries(model, 'model') if key == 'init_cfg' and value)


def _entries(part: Any, place: str) -> Iterator[tuple[str, str, Any]]:
    """Yield every entry of every dictionary: place of the dictionary, key, value."""
    if isinstance(part, Mapping):
        yield from ((place, key, value) for key, value in part.items())
        nested = list(part.items())
    else:
        nested = list(enumerate(part)) if isinstance(part, (list, tuple)) else []
    for key, value in nested:
        yield from _entries(value, f'{place}.{key}'.lstrip('.'))


def _names(values: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, Any]]:
    """Yield every name that MMEngine looks up: types and scopes."""
    for where, key, value in _entries(values, place):
        if key in ('type', '_scope_') or (key == 'default_scope' and not where):
            yield where, key, value


def _check_name(place: str, key: str, name: Any, origin: str) -> None:
    entry = f'{origin}: {place}.{key} = {name!r}'.replace(': .', ': ')
    if not isinstance(name, str):
        return  # some other option named ``type``; building reports a component whose type is not a string
    if key != 'type':
        if name not in SCOPES:
            raise ValueError(f'{entry} is not one of {", ".join(SCOPES)}')
        return
    package, dot, rest = name.partition('.')
    if not dot:
        if name and find_spec(name) is not None and not _is_registered(name):
            raise ValueError(f'{entry} is a module, not a registered component')
    elif package not in SCOPES or '.' in rest or not rest:
        raise ValueError(
            f'{entry} is a path to an object of another package; the config of a pretrained model names registered '
            f'components, alone or as package.Name with one of {", ".join(SCOPES)}'
        )
    elif package == 'diffusers':
        if place != 'model.sampler':
            raise ValueError(f'{entry}: diffusers has samplers only')
    elif find_spec(package) is not None and _is_attribute(package, rest):
        raise ValueError(f'{entry} is an object of the package {package}, not a registered component')


def _is_registered(name: str) -> bool:
    import_components()
    return any(name in registry.module_dict for registry in REGISTRIES.values())


def _is_attribute(package: str, name: str) -> bool:
    """Return whether MMEngine's look-up, if it finds no component of this name, finds an object of the package."""
    try:
        return hasattr(import_module(package), name) or find_spec(f'{package}.{name}') is not None
    except Exception:  # the package cannot be imported; the look-up reports that when the model is built
        return False


def _check_imports(imports: Any, origin: str) -> None:
    """Require that the modules of ``custom_imports`` are imported already, by plugins or by the caller."""
    if not imports:
        return
    modules = imports.get('imports', []) if isinstance(imports, Mapping) else None
    modules = [modules] if isinstance(modules, str) else modules
    if not isinstance(modules, (list, tuple)) or not all(isinstance(module, str) for module in modules):
        raise ValueError(f'{origin}: custom_imports must be dict(imports=[MODULE, …]), got {imports!r}')
    load_plugins()
    missing = [module for module in modules if module not in sys.modules]
    if missing:
        raise ModuleNotFoundError(
            f'{origin} needs {", ".join(missing)} (custom_imports), which loading a model does not import: import it '
            'first, or install its package as a plugin of posediff'
        )

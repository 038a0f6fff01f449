"""Load components of other installed packages, found through the entry-point group ``posediff.plugins``.

A package names a module in its metadata; importing this module registers its components. Tools and the inference API
call :func:`load_plugins` before they build a model; ``import posediff`` does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import metadata
from types import TracebackType
from typing import Any

from posediff.registry import REGISTRIES, import_location

GROUP = 'posediff.plugins'

# Error of each entry point that was loaded, None if there was none. A module whose import failed is not imported again:
# the names that it registered before the failure would be reported as duplicates.
_outcomes: dict[metadata.EntryPoint, PluginError | None] = {}


class PluginError(ImportError):
    """A plugin cannot be used; the message names the package, the component and what to do."""


def load_plugins(names: Sequence[str] | None = None) -> list[str]:
    """Import the plugins of all installed packages, each once per process; a failed import raises on later calls too.

    Args:
        names: Entry points to load; ``None``: all.

    Returns:
        Names of the loaded entry points, sorted.

    Raises:
        PluginError: A plugin cannot be imported, registers a name that is taken, or is requested but not installed.
    """
    points = find_plugins()
    known = {point.name for point in points}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        installed = ', '.join(sorted(known)) or 'none'
        raise PluginError(f'no installed package has the plugin {unknown[0]!r} (group {GROUP}; installed: {installed})')
    wanted = [point for point in points if names is None or point.name in names]
    if any(point not in _outcomes for point in wanted):
        import_components()  # so that a name clash is reported for the plugin, not for a module imported later
    for point in wanted:
        if point not in _outcomes:
            _outcomes[point] = _import(point)
        error = _outcomes[point]
        if error is not None:
            raise error
    return sorted(point.name for point in wanted)


def find_plugins() -> list[metadata.EntryPoint]:
    """Return the entry points of installed plugins, sorted by name; duplicates from repeated metadata are removed."""
    points = {(point.name, point.value): point for point in metadata.entry_points(group=GROUP)}
    return [points[key] for key in sorted(points)]


def import_components() -> dict[str, Exception]:
    """Import every module of posediff that registers components.

    Returns:
        Modules that cannot be imported, with the error: their optional packages are missing.
    """
    failures: dict[str, Exception] = {}
    for registry in REGISTRIES.values():
        for module in registry._locations:
            try:
                import_location(module)
            except Exception as error:
                failures[module] = error
    return failures


def registered_by(component: Callable[..., Any]) -> str:
    """Return the name of the installed distribution that contains a component, or else of its top-level package."""
    package = component.__module__.partition('.')[0]
    return ', '.join(sorted(set(_owners().get(package, ())))) or package


@lru_cache(maxsize=1)
def _owners() -> dict[str, list[str]]:
    """Return the distributions by top-level package; reading all metadata takes a tenth of a second."""
    return dict(metadata.packages_distributions())


def _import(point: metadata.EntryPoint) -> PluginError | None:
    try:
        point.load()
    except Exception as error:
        return PluginError(_explain(point, error))
    return None


def _explain(point: metadata.EntryPoint, error: Exception) -> str:
    package = f'{point.dist.name} {point.dist.version}' if point.dist else point.value
    clash = describe_clash(error)
    if clash is None:
        return (
            f'plugin {point.name!r} of package {package} does not import ({point.value}): '
            f'{type(error).__name__}: {" ".join(str(error).split())}. Fix it, or uninstall the package.'
        )
    return (
        f'plugin {point.name!r} of package {package}: {clash}. Rename the component of the plugin, or uninstall one of '
        'the two packages.'
    )


def describe_clash(error: BaseException) -> str | None:
    """Describe a registration that failed because the name is taken: the module, the name, and what has the name.

    Args:
        error: Exception raised on importing a module.

    Returns:
        A sentence without a full stop; None if ``error`` is not MMEngine's error for a name that is registered already.
    """
    clash = re.match(r"'?(\S+) is already registered in (\S+) at (\S+?)'?$", str(error))
    if not (isinstance(error, KeyError) and clash):
        return None
    component, kind, taken_by = clash.groups()
    holder = REGISTRIES[kind]._module_dict.get(component) if kind in REGISTRIES else None
    owner = f' of package {registered_by(holder)}' if holder is not None else ''
    wanted_by = _where_raised(error.__traceback__)
    return f'{wanted_by} registers {component!r} in {kind}, but {taken_by}{owner} has that name already'


def _where_raised(traceback: TracebackType | None) -> str:
    """Return the module whose registration failed: the innermost frame outside MMEngine."""
    module = 'a module'
    while traceback is not None:
        name = traceback.tb_frame.f_globals.get('__name__', '')
        if not name.startswith(('mmengine', 'importlib', 'posediff.plugins', 'posediff.engine.config')):
            module = name
        traceback = traceback.tb_next
    return module

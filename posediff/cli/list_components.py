"""List the registered components and the packages that register them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from posediff.cli.arguments import command_parser

FOREIGN = """A name with a prefix, such as mmpose.HRNet or mmdet.RTMDet, is looked up in the registry of that package,
which must be installed; for the stages of a model (backbones to heads), in its registry MODELS."""


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('kind', nargs='?', help='registry to list: denoisers, samplers, models, …; default: all')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Print the registered components.

    Returns:
        Exit code: 2 if the registry does not exist, 1 if a plugin does not import, else 0.
    """
    kind = parse_args(argv, prog).kind
    try:  # not at the top: --help must work where torch does not import
        import torch  # noqa: F401  otherwise every module would be reported as left out

        from posediff.plugins.entry_points import PluginError, import_components, load_plugins
        from posediff.registry import REGISTRIES
    except Exception as error:
        print(f'cannot list the components ({_one_line(error)}): run `posediff doctor`', file=sys.stderr)
        return 1
    if kind is not None and kind not in REGISTRIES:
        print(f'posediff list: no registry {kind!r}; there are: {", ".join(REGISTRIES)}', file=sys.stderr)
        return 2
    code = 0
    for module, failure in import_components().items():
        print(f'left out: {module} does not import ({_one_line(failure)})', file=sys.stderr)
    try:
        load_plugins()
    except PluginError as error:
        print(f'left out: {error}', file=sys.stderr)
        code = 1
    for name in REGISTRIES if kind is None else [kind]:
        print_registry(name)
    print(FOREIGN)
    return code


def print_registry(kind: str) -> None:
    """Print a registry: name, module and package of each component."""
    from posediff.plugins.entry_points import registered_by
    from posediff.registry import REGISTRIES

    registry = REGISTRIES[kind]
    components = sorted(registry._module_dict.items())
    print(f'{kind} ({len(components)})')
    width = max((len(name) for name, _ in components), default=0)
    depth = max((len(component.__module__) for _, component in components), default=0)
    for name, component in components:
        print(f'  {name:<{width}}  {component.__module__:<{depth}}  {registered_by(component)}')


def _one_line(error: Exception) -> str:
    return f'{type(error).__name__}: {" ".join(str(error).split())}'

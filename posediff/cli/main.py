"""The command ``posediff``: what is installed, what is registered, and whether data is sound."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from posediff import __version__
from posediff.engine.command_line import positive

FOREIGN = """A name with a prefix, such as mmpose.HRNet or mmdet.RTMDet, is looked up in that package, once it is
installed; for the stages of a network (backbones to heads) in its MODELS."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments; those of the process if ``None``.

    Returns:
        Exit code: 0 fine, 1 something is broken, 2 the arguments make no sense.
    """
    args = build_parser().parse_args(argv)
    commands_run = {
        'doctor': lambda: run_doctor(args.json),
        'list': lambda: run_list(args.kind),
        'check-dataset': lambda: run_check_dataset(args.config, None if args.all else args.items, args.cfg_options),
    }
    try:
        code = commands_run[args.command]()
        sys.stdout.flush()
    except BrokenPipeError:  # `posediff list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at exit
        return 0
    return code


def build_parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    parser = argparse.ArgumentParser(prog='posediff', description='Human pose from video by diffusion.')
    parser.add_argument('--version', action='version', version=f'posediff {__version__}')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    doctor = commands.add_parser('doctor', help='check the installed packages; each problem comes with its cure')
    doctor.add_argument('--json', action='store_true', help='print everything as JSON')
    listing = commands.add_parser('list', help='show what is registered, and by which package')
    listing.add_argument('kind', nargs='?', help='denoisers, samplers, models, …; everything if left out')
    checking = commands.add_parser('check-dataset', help="say what is wrong with a config's data before training")
    checking.add_argument('config', help='config file')
    checking.add_argument('--items', type=positive, default=200, help='read this many items of every part')
    checking.add_argument('--all', action='store_true', help='read all items')
    checking.add_argument('--cfg-options', nargs='+', metavar='KEY=VALUE', help='override config keys')
    return parser


def run_doctor(as_json: bool) -> int:
    """Examine this machine and print the report; 1 when something is broken."""
    from posediff.doctor import report
    from posediff.doctor.snapshot import examine

    if sys.stderr.isatty():
        print('importing what is installed …', file=sys.stderr)
    installed = examine()
    findings = report.diagnose(installed)
    print(report.as_json(installed, findings) if as_json else report.as_text(installed, findings))
    return report.exit_code(findings)


def run_list(kind: str | None) -> int:
    """Print registered components; 2 for a kind that does not exist, 1 when a plugin is broken."""
    try:  # not at the top of the file: the doctor has to run where torch does not import
        import torch  # noqa: F401  without it every part is left out, one by one

        from posediff.plugins.entry_points import PluginError, import_components, load_plugins
        from posediff.registry import REGISTRIES
    except Exception as error:
        print(
            f'cannot list what is registered ({type(error).__name__}: {error}): run `posediff doctor`', file=sys.stderr
        )
        return 1
    if kind is not None and kind not in REGISTRIES:
        print(f'posediff list: no kind {kind!r}; there are: {", ".join(REGISTRIES)}', file=sys.stderr)
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


def run_check_dataset(config: str, items: int | None, cfg_options: Sequence[str] | None) -> int:
    """Open and read the data of a config and print what is wrong with it; 1 when something is."""
    from functools import partial

    from mmengine.config import DictAction
    from tqdm import tqdm

    from posediff.datasets.checking import as_text, check_dataset
    from posediff.engine.command_line import one_line_errors
    from posediff.engine.config import load_config
    from posediff.plugins.entry_points import load_plugins

    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    options = parser.parse_args(['--cfg-options', *cfg_options]).cfg_options if cfg_options else None
    with one_line_errors():
        load_plugins()
        cfg = load_config(config, options)
    progress = partial(tqdm, desc='reading', unit='item', leave=False, disable=None)
    findings = check_dataset(cfg, items, progress)
    print(as_text(findings))
    return int(any(finding.problems for finding in findings))


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

"""Write a new package of components for posediff, with their tests and a config.

The package registers a denoiser and an exporter through an entry point in the group posediff.plugins. It is a place to
start from: both are small, complete, and pass the contract tests.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.cli.configs import copy_config
from posediff.engine.command_line import one_line_errors
from posediff.fileio.atomic_files import new_folder

TEMPLATE = Path(__file__).with_name('plugin_template')
SUFFIX = '.tmpl'
BASE_CONFIG = 'diffhpe-2d_27f_cmu'


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('name', metavar='NAME', help='import name of the package, such as my_lifter')
    parser.add_argument('--out', type=Path, metavar='DIR', help='folder to create (default: NAME)')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        folder = write_plugin(args.name, args.out or Path(args.name))
    print(f'written {folder}/:')
    for path in sorted(path for path in folder.rglob('*') if path.is_file()):
        print(f'  {path.relative_to(folder)}')
    print(f'\ntest it:      python -m pytest {folder}\ninstall it:   pip install --no-deps --editable {folder}')


def write_plugin(name: str, folder: Path) -> Path:
    """Write the package into a new or empty folder, completely or not at all.

    Args:
        name: Import name.
        folder: Folder to create; parents are created too.

    Returns:
        The folder.

    Raises:
        ValueError: The name cannot be a package's, or is taken.
        FileExistsError: The folder exists and is not empty.
    """
    check_name(name)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    elif folder.exists():
        raise FileExistsError(f'{folder} exists and is not an empty folder; --out names another one')
    with new_folder(folder) as draft:
        base = copy_config(BASE_CONFIG, draft / 'configs').relative_to(draft / 'configs')
        words = {
            'name': name,
            'distribution': name.replace('_', '-'),
            'class': ''.join(word.capitalize() for word in name.split('_')),
            'base': base.as_posix(),
        }
        for template in sorted(TEMPLATE.rglob(f'*{SUFFIX}')):
            target = draft / str(template.relative_to(TEMPLATE)).removesuffix(SUFFIX).replace('NAME', name)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = template.read_text(encoding='utf-8')
            target.write_text(re.sub('@([a-z]+)@', lambda found: words[found[1]], text), encoding='utf-8')
    return folder


def check_name(name: str) -> None:
    """Check that a package may have this name.

    Raises:
        ValueError: It is not a lower-case identifier, is a keyword of Python, or belongs to a module or a distribution
            that is installed.
    """
    if not re.fullmatch(r'[a-z][a-z0-9]*(_[a-z0-9]+)*', name):
        close = re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_0123456789')
        hint = f', such as {close}' if close else ''
        raise ValueError(f'{name!r} cannot be the name of a package: use lower-case letters, digits and single _{hint}')
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ValueError(f'{name!r} cannot be the name of a package: it is a keyword of Python')
    if name in sys.stdlib_module_names:
        raise ValueError(f'{name!r} is a module of the standard library: choose another name')
    distribution = name.replace('_', '-')
    installed = {re.sub(r'[-_.]+', '-', found.metadata['Name'] or '').lower() for found in metadata.distributions()}
    spec = find_spec(name)
    if distribution in installed or (spec is not None and spec.origin is not None):
        origin = spec.origin if spec is not None and spec.origin else f'distribution {distribution}'
        raise ValueError(f'a package {name!r} is installed already ({origin}): choose another name')

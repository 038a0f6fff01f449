"""List, show or copy the packaged configs, which are part of posediff.

posediff configs list [WORD]      names that contain the word
posediff configs show NAME        the whole config, parents merged
posediff configs copy NAME DIR    the file and the files it inherits from, in folders as they are in posediff
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.engine.config import load_config
from posediff.engine.config_files import config_folder, find_config, packaged_configs, parents
from posediff.fileio.atomic_files import atomic_write


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')
    listing = actions.add_parser('list', help='print the names')
    listing.add_argument('word', nargs='?', default='', help='print only names that contain this')
    show = actions.add_parser('show', help='print a config with its parents merged')
    show.add_argument('name', help='name of a packaged config, or a config file')
    copy = actions.add_parser('copy', help='copy a config and the files that it inherits from')
    copy.add_argument('name', help='name of a packaged config')
    copy.add_argument('folder', type=Path, help='folder to write to')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        if args.action == 'list':
            text = '\n'.join(_names(args.word))
        elif args.action == 'show':
            text = load_config(args.name).pretty_text
        else:
            text = str(copy_config(args.name, args.folder))
    print(text)  # outside the block: a closed pipe is not an error of the input


def _names(word: str) -> list[str]:
    names = [path.stem for path in packaged_configs() if word in path.stem]
    if not names:
        raise FileNotFoundError(f'no packaged config has {word!r} in its name')
    return names


def copy_config(name: str, folder: Path) -> Path:
    """Copy a packaged config and its parents; return the path of the copied config.

    Raises:
        FileNotFoundError: There is no packaged config of that name.
        FileExistsError: A file exists already and differs.
        NotADirectoryError: ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f'{folder} is a file; give the folder to copy to')
    root, config = config_folder().resolve(), find_config(name).resolve()
    if root not in config.parents:
        raise FileNotFoundError(f'{name} is not a packaged config; copy the file itself')
    files = [config, *parents(config)]
    targets = {file: folder / file.relative_to(root) for file in files}
    for file, target in targets.items():
        if target.exists() and target.read_bytes() != file.read_bytes():
            raise FileExistsError(f'{target} exists and differs from the packaged file')
    for file, target in targets.items():
        with atomic_write(target) as draft:
            shutil.copyfile(file, draft)
    return targets[config]

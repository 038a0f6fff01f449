"""Write the people of a result folder (``poses.npz``, as ``posediff video`` writes it) for other programs.

Writes one file per person and format, ``track<id>.<format>``, into the folder, and ``track<id>.export.json`` with
units, axes and gaps.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.cli.export_arguments import add_export_options, export_choices, export_options
from posediff.engine.command_line import one_line_errors
from posediff.export.track_export import export_tracks
from posediff.plugins.entry_points import load_plugins
from posediff.registry import EXPORTERS


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    with one_line_errors():
        load_plugins()  # their formats are in the help too
        EXPORTERS.import_from_location()
    parser = command_parser(prog, __doc__, export_choices('--formats'))
    parser.add_argument('folder', type=Path, help='folder with poses.npz')
    parser.add_argument('--formats', default='bvh', help='comma-separated list, e.g. bvh,csv; default: bvh')
    add_export_options(parser, '--options')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Export the results in a folder; exit with code 2 if the folder or a format cannot be used."""
    args = parse_args(argv, prog)
    with one_line_errors():
        _check_folder(args.folder)
        options = export_options('--options', args.options, args.formats)
        files = export_tracks(args.folder, args.formats, options)
        if not files:
            raise ValueError(f'{args.folder / "poses.npz"}: no person has a known joint, so no file was written')
    print('written ' + ', '.join(map(str, files)))


def _check_folder(folder: Path) -> None:
    """Check that a path is a folder with results.

    Raises:
        FileNotFoundError: The path does not exist, or the folder has no ``poses.npz``.
        NotADirectoryError: The path is a file.
    """
    if not folder.exists():
        raise FileNotFoundError(f'{folder} does not exist')
    if not folder.is_dir():
        raise NotADirectoryError(f'{folder} is a file; give the folder that holds poses.npz')
    if not (folder / 'poses.npz').is_file():
        raise FileNotFoundError(f'{folder} holds no poses.npz: it is not a result folder of posediff video')

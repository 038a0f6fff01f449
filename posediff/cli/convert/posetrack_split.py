"""Command line of the converters that write the annotations of a PoseTrack split to one file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import one_line_errors


def parse_split(description: str | None, argv: Sequence[str] | None, prog: str | None) -> argparse.Namespace:
    """Parse ``ANNOTATIONS IMAGES DESTINATION``.

    Args:
        description: Text of ``--help``.
        argv: Arguments; those of the process if ``None``.
        prog: Name of the program in help and errors.
    """
    parser = command_parser(prog, description)
    parser.add_argument('annotations', help="folder of the split's .json files, one per video")
    parser.add_argument('images', help='folder that the image paths in them are relative to')
    parser.add_argument('destination', help='JSON file to write')
    return parser.parse_args(argv)


def convert_split(convert: Callable[[str, str, str], Mapping[str, int]], args: argparse.Namespace) -> None:
    """Run a converter and print the numbers that it returns.

    Args:
        convert: Converts (annotations, images, destination), and returns numbers by name, e.g. of ``images``.
        args: From :func:`parse_split`.
    """
    with one_line_errors():
        counts = convert(args.annotations, args.images, args.destination)
    print(f'{args.destination}: ' + ', '.join(f'{count} {name}' for name, count in counts.items()))

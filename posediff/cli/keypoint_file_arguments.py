"""Arguments that describe a file of 2D keypoints, for ``posediff video`` and ``posediff lift``."""

from __future__ import annotations

import argparse

from posediff.fileio.keypoint_files import COORDINATES, FORMATS


def add_keypoint_file_options(group: argparse._ArgumentGroup) -> None:
    """Add ``--skeleton``, ``--format``, ``--coordinates`` and ``--first-frame`` to a group of arguments."""
    group.add_argument(
        '--skeleton',
        metavar='NAME',
        help='skeleton of the keypoints, e.g. coco17; default: stated by the file, else by its format',
    )
    group.add_argument('--format', metavar='NAME', help='format of the file; default: detected; choices: see below')
    group.add_argument(
        '--coordinates',
        choices=COORDINATES,
        help='unit of the keypoints; default: defined by the format, else px; choices: see below',
    )
    group.add_argument(
        '--first-frame',
        type=int,
        metavar='N',
        help='number of the first picture of the video in the file; default: defined by the format, else 0',
    )


def keypoint_file_choices() -> str:
    """Return the text for ``--help``: the choices of ``--format`` and ``--coordinates``, one per line."""
    choices = {
        '--format': {name: known.about for name, known in FORMATS.items()},
        '--coordinates': COORDINATES,
    }
    parts = []
    for flag, about in choices.items():
        width = max(map(len, about))
        parts.append(f'choices of {flag}:\n' + '\n'.join(f'  {name:<{width}}  {text}' for name, text in about.items()))
    return '\n\n'.join(parts)

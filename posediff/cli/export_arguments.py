"""Options of exporters, shared by ``posediff video`` and ``posediff export``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from posediff.registry import EXPORTERS
from posediff.structures.component_choices import choices_help, command_line_choices, options_by_choice


def add_export_options(parser: argparse._ActionsContainer, flag: str) -> None:
    """Add the options of the exporters, ``FORMAT.NAME=VALUE``."""
    text = 'options of a format, e.g. bvh.scale=100: see below'
    parser.add_argument(flag, nargs='+', default=[], metavar='FORMAT.NAME=VALUE', help=text)


def export_choices(flag: str) -> str:
    """Return the text for ``--help``: every format with its options, also those that declare no choice."""
    declared = {name for name, _ in command_line_choices(EXPORTERS).values()}
    others = [f'  {name}' for name in sorted(EXPORTERS.module_dict) if name not in declared]
    return '\n'.join([f'choices of {flag}:', choices_help(EXPORTERS), *others])


def export_options(flag: str, assignments: Sequence[str], formats: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the constructor arguments by format.

    Raises:
        ValueError: An assignment is malformed, or for a format that is not written.
    """
    values = options_by_choice(EXPORTERS, flag, assignments)
    names = [name.strip() for name in formats.split(',')]
    for name in values:
        if name not in names:
            raise ValueError(f'{flag} {name}.…: {name} is not among the formats to write: {formats or "none"}')
    return values

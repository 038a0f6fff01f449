"""Entry point of ``posediff``: selects a command and runs it."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

from posediff import __version__
from posediff.cli.commands import COMMANDS, Command, Group


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name.

    Args:
        argv: Arguments; those of the process if ``None``.

    Returns:
        Exit code: 0 success, 1 failure, 2 invalid arguments. A command that ends early raises ``SystemExit`` with its
        code.
    """
    command, rest = choose(sys.argv[1:] if argv is None else argv)
    try:
        code = run(command, rest)
        sys.stdout.flush()
    except BrokenPipeError:  # `posediff list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at exit
        return 0
    return code


def choose(words: Sequence[str]) -> tuple[Command, list[str]]:
    """Split arguments into the command and its own arguments.

    Raises:
        SystemExit: With code 0 after printing help or version, with 2 if the command does not exist.
    """
    parser = build_parser('posediff', 'Estimate human poses in videos with diffusion models.', COMMANDS)
    parser.add_argument('--version', action='version', version=f'posediff {__version__}')
    entry = _find(parser, words, COMMANDS)
    if isinstance(entry, Command):
        return entry, list(words[1:])
    group = build_parser(f'posediff {entry.name}', _sentence(entry.summary), entry.commands)
    return _find(group, words[1:], entry.commands), list(words[2:])


def build_parser(prog: str, description: str, entries: Iterable[Command | Group]) -> argparse.ArgumentParser:
    """Create a parser of the next word of the command line, with all possible words in its help.

    Args:
        prog: The words before, e.g. ``'posediff convert'``.
        description: Text above the list of words.
        entries: Commands and groups to choose from.
    """
    names = {_last_word(entry): entry.summary for entry in entries}
    width = max(map(len, names))
    lines = [f'  {name:<{width}}  {summary}' for name, summary in names.items()]
    parser = argparse.ArgumentParser(
        prog=prog,
        usage=f'{prog} [-h] COMMAND …',
        description=description,
        epilog='commands (for their arguments: COMMAND --help):\n' + '\n'.join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('command', metavar='COMMAND', help=argparse.SUPPRESS)
    return parser


def run(command: Command, argv: Sequence[str]) -> int:
    """Import the module of a command, call its ``main`` and return the exit code; it is 1 if the import fails."""
    prog = f'posediff {command.name}'
    try:
        module = importlib.import_module(f'posediff.cli.{command.module}')
    except Exception as error:
        if os.environ.get('POSEDIFF_TRACEBACK'):
            raise
        reason = ' '.join(f'{type(error).__name__}: {error}'.split())
        print(f'error: {prog} cannot start ({reason}): run `posediff doctor`', file=sys.stderr)
        return 1
    return module.main(argv, prog) or 0


Entry = TypeVar('Entry', bound=Command | Group)


def _find(parser: argparse.ArgumentParser, words: Sequence[str], entries: Iterable[Entry]) -> Entry:
    if not words or words[0].startswith('-'):
        parser.parse_args(words)  # prints help or version, or reports the unknown option
        raise AssertionError('argparse did not end the program')
    by_name = {_last_word(entry): entry for entry in entries}
    if words[0] not in by_name:
        close = difflib.get_close_matches(words[0], by_name, n=3)
        hint = f'did you mean {" or ".join(close)}?' if close else f'there are: {", ".join(by_name)}'
        parser.error(f'no command {words[0]!r}; {hint}')
    return by_name[words[0]]


def _last_word(entry: Command | Group) -> str:
    return entry.name.rpartition(' ')[2]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + '.'

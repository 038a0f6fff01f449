"""Check the installed packages and print the commands that fix problems."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from posediff.cli.arguments import command_parser
from posediff.doctor import report
from posediff.doctor.snapshot import examine


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('--json', action='store_true', help='print the report as JSON')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Check this installation, print the report, and return 1 if there is a problem, else 0."""
    args = parse_args(argv, prog)
    if sys.stderr.isatty():
        print('importing the installed packages …', file=sys.stderr)
    installed = examine()
    findings = report.diagnose(installed)
    print(report.as_json(installed, findings) if args.json else report.as_text(installed, findings))
    return report.exit_code(findings)

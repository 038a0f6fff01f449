"""Install what pip alone cannot, into the environment that this command runs in.

openmmlab: MMCV with its compiled ops, MMDetection, MMPretrain and MMPose. Their own requirements contradict each other,
so they are installed one after the other, in the versions that posediff is tested with. What will be done, how long it
takes, and which installed packages are replaced is printed first.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from posediff.cli.arguments import command_parser
from posediff.installation.failures import StepError
from posediff.installation.pins import constraints_file, normalise, pinned_versions
from posediff.installation.pip_steps import PipSteps
from posediff.installation.plan import describe_plan, missing_compiler, plan_steps
from posediff.installation.steps import openmmlab_steps

PROJECT = 'posediff'


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('what', choices=['openmmlab'], help='what to install')
    parser.add_argument('--dry-run', action='store_true', help='print what would be done, and stop')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Print the plan, carry it out, and return the exit code: 1 if a step fails, 130 after Ctrl-C, else 0."""
    args = parse_args(argv, prog)
    try:
        version = metadata.version(PROJECT)
    except metadata.PackageNotFoundError:
        print(f'error: posediff is not installed in {sys.prefix}; in a checkout: make setup', file=sys.stderr)
        return 1
    steps, records = openmmlab_steps(version), Path(tempfile.mkdtemp(prefix='posediff-setup-'))
    try:
        constraints = constraints_file()
        environment = PipSteps(Path(sys.executable), constraints, records, records, f'posediff setup {args.what}')
        plan = plan_steps(steps, environment, pinned_versions(constraints), lambda extras: closure(PROJECT, extras))
        print(f'to install into {sys.prefix}, as {constraints} says:\n{describe_plan(plan)}', flush=True)
        if warning := missing_compiler(plan):
            print(warning, flush=True)
        if args.dry_run:
            return 0
        print(f'logs: {records}', flush=True)
        environment.run_all(steps)
    except (StepError, OSError) as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nstopped; finished steps are kept', file=sys.stderr)
        return 130
    finally:
        if not any(records.iterdir()):
            records.rmdir()
    print('MMCV, MMDetection, MMPretrain and MMPose are ready; `posediff doctor` checks everything.')
    return 0


def closure(name: str, extras: Sequence[str] = ()) -> list[str]:
    """Return the names of the packages that a distribution requires, directly or through other packages.

    Packages that are not installed are included, but not their requirements, which are unknown before the download.

    Args:
        name: Name of the distribution.
        extras: Extras of the distribution whose requirements are included.
    """
    found: list[str] = []
    waiting = [(name, frozenset(extras))]
    while waiting:
        owner, wanted = waiting.pop()
        try:
            lines = metadata.requires(owner) or []
        except metadata.PackageNotFoundError:
            continue
        for needed in map(Requirement, lines):
            contexts = [{'extra': extra} for extra in ('', *wanted)]
            applies = needed.marker is None or any(map(needed.marker.evaluate, contexts))
            if applies and normalise(needed.name) not in found:
                found.append(normalise(needed.name))
                waiting.append((needed.name, frozenset(needed.extras)))
    return found

"""Build the virtual environment of a checkout, step by step: ``make setup``.

The order matters (build tools, torch, the packages that are compiled against it, then those whose own requirements
contradict each other), so each step is its own call of pip under the one ``constraints.txt``. A step that went through
is not run again until its definition or a file that it reads changes.
"""

from __future__ import annotations

import argparse
import configparser
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from posediff.installation.failures import StepError
from posediff.installation.pins import constraints_file, normalise, pinned_versions
from posediff.installation.plan import describe_plan, missing_compiler, plan_steps
from posediff.installation.steps import CORE, DEMO, FULL
from posediff.installation.virtual_env import VirtualEnvironment

ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Bring the environment to the level asked for; returns the exit code."""
    parser = argparse.ArgumentParser(description='Build the virtual environment of posediff.')
    parser.add_argument('--venv', type=Path, default=ROOT / '.venv', help='where it goes (default: .venv)')
    parser.add_argument('--core', action='store_true', help='only what lifting needs: no torchvision, mmcv, MMPose')
    parser.add_argument('--demo', action='store_true', help='that, and what reads videos')
    args = parser.parse_args(argv)
    steps, level = (CORE, 'what lifting needs') if args.core else (FULL, 'everything')
    if args.demo:
        steps, level = DEMO, 'what the demo needs'
    try:
        environment = VirtualEnvironment(args.venv.absolute(), ROOT, constraints_file())
        environment.create()
        waiting = [step for step in steps if not environment.is_done(step)]
        if waiting:
            plan = plan_steps(waiting, environment, pinned_versions(environment.constraints), requirements)
            print(f'to install into {args.venv}, as {environment.constraints} says:\n{describe_plan(plan)}')
            if warning := missing_compiler(plan):
                print(warning)
            environment.run_all(waiting)
    except StepError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nstopped; finished steps are kept', file=sys.stderr)
        return 130
    print(f'{args.venv} is ready ({level}).')
    return 0


def requirements(extras: Sequence[str]) -> list[str]:
    """Names of the packages that setup.cfg lists, with those of some extras."""
    setup = configparser.RawConfigParser()
    setup.read(ROOT / 'setup.cfg', encoding='utf-8')
    groups = [setup['options']['install_requires'], *(setup['options.extras_require'][extra] for extra in extras)]
    lines = (line.strip() for group in groups for line in group.splitlines())
    found = (re.match(r'[\w.-]+', line) for line in lines if not line.startswith('#'))
    return [normalise(name[0]) for name in found if name]

"""Say what the steps will do before they are run."""

from __future__ import annotations

import shutil
import sysconfig
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from posediff.installation.pip_steps import PipSteps
from posediff.installation.steps import APT_COMPILER, Step

WIDTH = 118


@dataclass(frozen=True)
class PlannedStep:
    """What a step will do.

    Attributes:
        step: The step.
        changes: Version to install, and installed version or ``None``, by package; without those that stay.
        wheel: Wheel in pip's cache that saves compiling the step's package.
    """

    step: Step
    changes: Mapping[str, tuple[str, str | None]]
    wheel: Path | None

    @property
    def compiles(self) -> bool:
        """Whether a package is compiled here."""
        return self.step.compiled in self.changes and self.wheel is None

    @property
    def replaced(self) -> dict[str, tuple[str, str]]:
        """New and old version of the packages that are there in another version."""
        return {name: (new, old) for name, (new, old) in self.changes.items() if old is not None}


def plan_steps(
    steps: Sequence[Step],
    environment: PipSteps,
    pins: Mapping[str, str],
    requirements: Callable[[Sequence[str]], Sequence[str]],
) -> list[PlannedStep]:
    """Compare the steps with what is installed.

    Args:
        steps: Steps in their order.
        environment: Where they will be run.
        pins: Versions by package.
        requirements: Packages that posediff needs with some of its extras.

    Raises:
        StepError: The environment has no pip.
    """
    installed = environment.installed()
    plan = []
    for step in steps:
        extras = step.extras()
        names = [*step.packages(), *(requirements(extras) if extras is not None else ())]
        changes = {}
        for name in dict.fromkeys(names):
            new, old = pins.get(name), installed.get(name)
            if new is not None and (old is None or old.partition('+')[0] != new):
                changes[name] = (new, old)
                installed[name] = new  # a later step finds it
        wheel = environment.cached_wheel(step.compiled, pins[step.compiled]) if step.compiled in changes else None
        plan.append(PlannedStep(step, changes, wheel))
    return plan


def describe_plan(plan: Sequence[PlannedStep]) -> str:
    """Write the plan, a paragraph for each step: packages, versions, what is compiled, how long it takes."""
    width = max((len(planned.step.name) for planned in plan), default=0)
    lines = []
    for number, planned in enumerate(plan, start=1):
        head = f'  {number}. {planned.step.name:<{width}}  '
        lines += textwrap.wrap(
            f'{planned.step.about}: {_outcome(planned)}',
            WIDTH,
            initial_indent=head,
            subsequent_indent=' ' * len(head),
            break_on_hyphens=False,
            break_long_words=False,
        )
    replaced = {name: pair for planned in plan for name, pair in planned.replaced.items()}
    if replaced:
        changes = ', '.join(f'{name} {old} -> {new}' for name, (new, old) in replaced.items())
        lines += textwrap.wrap(f'replaced by the tested version: {changes}', WIDTH, break_on_hyphens=False)
    return '\n'.join(lines)


def _outcome(planned: PlannedStep) -> str:
    if not planned.changes:
        return 'nothing to install'
    text = ', '.join(f'{name} {new}' for name, (new, _) in planned.changes.items())
    if planned.wheel is not None:
        return f"{text}, from the wheel in pip's cache ({planned.wheel}), not compiled; seconds"
    takes = planned.step.takes or 'less than a minute'
    return f'{text}{", compiled here" if planned.compiles else ""}; {takes}'


def missing_compiler(plan: Sequence[PlannedStep]) -> str | None:
    """Return a warning if a step has to compile and there is no compiler, so that no download comes before it."""
    built = [planned.step.compiled for planned in plan if planned.compiles]
    header = Path(sysconfig.get_path('include'), 'Python.h')
    if not built or (shutil.which('g++') and header.exists()):
        return None
    missing = 'g++' if not shutil.which('g++') else 'Python.h'
    return f'warning: no {missing}: {" and ".join(built)} cannot be compiled. {APT_COMPILER}'

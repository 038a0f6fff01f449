"""The plan names what changes, what is compiled, and what is replaced."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from posediff.installation.pip_steps import PipSteps
from posediff.installation.plan import PlannedStep, describe_plan, missing_compiler, plan_steps
from posediff.installation.steps import Step, openmmlab_steps

PINS = {
    'setuptools': '81.0.0', 'wheel': '0.48.0', 'ninja': '1.13.2', 'cython': '3.3.1', 'torch': '2.11.0',
    'torchvision': '0.26.0', 'numpy': '2.3.5', 'timm': '1.0.31', 'onedl-mmcv': '2.3.6', 'xtcocotools': '1.14.3',
    'onedl-mmdetection': '3.5.1', 'mmpose': '1.3.2', 'onedl-mmpretrain': '1.3.6', 'imaug': '0.4.3',
}  # fmt: skip
WHEEL = Path('/home/me/.cache/pip/wheels/0a/onedl_mmcv-2.3.6-cp311-cp311-linux_x86_64.whl')


class Machine(PipSteps):
    """An environment with these packages and these wheels in pip's cache."""

    def __init__(self, versions: dict[str, str], wheels: dict[str, Path]) -> None:
        super().__init__(Path(sys.executable), Path(), Path(), Path(), 'posediff setup openmmlab')
        self.versions, self.wheels = versions, wheels

    def installed(self) -> dict[str, str]:
        return dict(self.versions)

    def cached_wheel(self, name: str, version: str) -> Path | None:
        return self.wheels.get(name)


def requirements(extras: Sequence[str]) -> list[str]:
    assert list(extras) == ['video']
    return ['torch', 'numpy', 'timm', 'a-package-without-a-pin']


def plan(versions: dict[str, str], wheels: dict[str, Path] | None = None) -> list[PlannedStep]:
    return plan_steps(openmmlab_steps('0.1.0'), Machine(versions, wheels or {}), PINS, requirements)


def test_on_a_new_machine_everything_is_installed_and_mmcv_compiled() -> None:
    planned = {one.step.name: one for one in plan({})}
    assert planned['torch'].changes == {
        'torch': ('2.11.0', None),
        'torchvision': ('0.26.0', None),
        'numpy': ('2.3.5', None),
    }
    assert planned['video'].changes == {'timm': ('1.0.31', None)}  # torch is there by then
    assert [name for name, one in planned.items() if one.compiles] == ['xtcocotools', 'mmcv']
    text = describe_plan(list(planned.values()))
    assert 'onedl-mmcv 2.3.6, compiled here; about 5 min on 2 cores' in text
    assert 'replaced' not in text


def test_a_wheel_in_the_cache_is_named_and_nothing_is_compiled() -> None:
    planned = plan({}, {'onedl-mmcv': WHEEL, 'xtcocotools': WHEEL})
    assert not any(one.compiles for one in planned)
    words = ' '.join(describe_plan(planned).split())
    assert f"onedl-mmcv 2.3.6, from the wheel in pip's cache ({WHEEL}), not compiled; seconds" in words
    assert 'compiled here' not in words


def test_installed_versions_that_are_replaced_are_listed() -> None:
    planned = plan({'torch': '2.14.1', 'numpy': '2.3.5', 'setuptools': '65.5.0'})
    text = describe_plan(planned)
    assert text.splitlines()[-1] == (
        'replaced by the tested version: setuptools 65.5.0 -> 81.0.0, torch 2.14.1 -> 2.11.0'
    )


def test_where_everything_is_there_nothing_is_to_do() -> None:
    text = describe_plan(plan({**PINS, 'torch': '2.11.0+cpu'}))
    assert text.count('nothing to install') == len(openmmlab_steps('0.1.0'))


def test_a_missing_compiler_is_told_only_if_something_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('PATH', str(tmp_path))
    step = Step('mmcv', 'MMCV', ('onedl-mmcv',), '', compiled='onedl-mmcv')
    changes = {'onedl-mmcv': ('2.3.6', None)}
    warning = missing_compiler([PlannedStep(step, changes, None)])
    assert warning is not None
    assert 'no g++: onedl-mmcv cannot be compiled' in warning
    assert missing_compiler([PlannedStep(step, changes, WHEEL)]) is None
    assert missing_compiler([PlannedStep(step, {}, None)]) is None

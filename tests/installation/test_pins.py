"""Versions come from constraints.txt, as they apply to a Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from posediff.installation import pins
from posediff.installation.pins import constraints_file, pinned_versions


def test_the_pins_of_this_project_are_read_for_every_python(repository: Path) -> None:
    assert constraints_file() == repository / 'constraints.txt'
    old, new = (pinned_versions(constraints_file(), python) for python in ((3, 10), (3, 12)))
    assert old['torch'] == new['torch']
    assert old['numpy'] < new['numpy'] == '2.3.5'
    assert 'tomli' in old
    assert 'tomli' not in new
    assert old['mypy-extensions'] == new['mypy-extensions']


def test_names_are_normalised_and_comments_left_out(tmp_path: Path) -> None:
    file = tmp_path / 'constraints.txt'
    file.write_text('# why\nJson_Tricks==3.17.3  # here\n\ntorch==2.11.0+cpu; python_version < "3.12"\n')
    assert pinned_versions(file, (3, 11)) == {'json-tricks': '3.17.3', 'torch': '2.11.0+cpu'}


@pytest.mark.parametrize('line', ['torch', 'torch>=2', 'torch==2; sys_platform == "linux"'])
def test_what_is_no_pin_is_an_error(line: str, tmp_path: Path) -> None:
    file = tmp_path / 'constraints.txt'
    file.write_text(f'{line}\n')
    with pytest.raises(ValueError, match=f'constraints.txt: {line!r} is no pin'):
        pinned_versions(file)


def test_a_wheel_has_the_file_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, 'PACKAGE', tmp_path / 'posediff')
    with pytest.raises(FileNotFoundError, match=r'has no constraints\.txt'):
        constraints_file()
    (tmp_path / 'posediff' / 'installation').mkdir(parents=True)
    inside = tmp_path / 'posediff' / 'installation' / 'constraints.txt'
    inside.write_text('')
    assert constraints_file() == inside

"""Configs by path and by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from posediff.cli.main import main
from posediff.engine import config_files
from posediff.engine.config import load_config
from posediff.engine.config_files import find_config, packaged_configs, parents

NAME = 'mixste-c64_27f_cmu'


def test_a_packaged_config_is_found_by_name(repository: Path) -> None:
    assert find_config(NAME) == repository / 'configs' / 'lifting_3d' / 'mixste' / f'{NAME}.py'


def test_a_file_comes_before_a_packaged_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / NAME).write_text('')
    monkeypatch.chdir(tmp_path)
    assert find_config(NAME) == Path(NAME)


def test_names_of_packaged_configs_are_unique() -> None:
    names = [path.stem for path in packaged_configs()]
    assert len(names) == len(set(names)) > 50


def test_an_unknown_name_comes_with_close_ones() -> None:
    with pytest.raises(FileNotFoundError, match=rf'mixste-c65_27f_cmu is neither .*did you mean {NAME} or '):
        find_config('mixste-c65_27f_cmu')


def test_a_path_outside_a_checkout_comes_with_the_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf'does not exist; .* is named without a path: {NAME}'):
        find_config(tmp_path / f'{NAME}.py')


def test_an_ambiguous_name_lists_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / folder / 'same.py' for folder in ('a', 'b')]
    for file in files:
        file.parent.mkdir()
        file.write_text('')
    monkeypatch.setattr(config_files, 'config_folder', lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=f'several packaged configs .*: {files[0]}, {files[1]}'):
        find_config('same')


@pytest.mark.parametrize('path', packaged_configs()[::10], ids=lambda path: path.stem)
def test_parents_are_in_the_folder(path: Path) -> None:
    found = parents(path)
    assert found
    assert all(file.is_file() and config_files.config_folder() in file.parents for file in found)


def test_a_copied_config_is_the_same_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['configs', 'copy', NAME, str(tmp_path)]) == 0
    copy = Path(capsys.readouterr().out.strip())
    assert copy.is_relative_to(tmp_path)
    assert load_config(copy).to_dict() == load_config(NAME).to_dict()
    copy.write_text('changed = True\n')
    with pytest.raises(SystemExit):
        main(['configs', 'copy', NAME, str(tmp_path)])
    assert copy.read_text() == 'changed = True\n'


def test_a_dumped_config_loads_without_its_parents(tmp_path: Path) -> None:
    cfg = load_config(NAME)
    cfg.dump(tmp_path / 'dumped.py')
    assert load_config(tmp_path / 'dumped.py').model == cfg.model

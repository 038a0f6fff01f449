"""Config files by path and by name."""

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


def test_folders_and_empty_names_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs').mkdir()
    for name, said in (
        ('configs', 'config configs is a folder; `posediff configs list`'),
        (tmp_path / 'configs', 'configs is a folder; '),
        ('', 'the name of the config is empty; '),
        ('größe 姿', 'config größe 姿 is neither a file nor a packaged config; '),
    ):
        with pytest.raises(FileNotFoundError, match=said):
            find_config(name)
    (tmp_path / NAME).mkdir()  # a work dir, for example
    assert find_config(NAME).suffix == '.py'


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['list', 'mixtse'], "no packaged config has 'mixtse' in its name"),
        (['copy', NAME, 'file'], 'file is a file; give the folder to copy to'),
        (['copy', 'file', 'folder'], 'file is not a packaged config'),
        (['show', 'file'], 'config file cannot be read'),
    ],
)
def test_configs_refuses_in_one_line(tmp_path: Path, monkeypatch, capsys, words: list[str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'file').write_text('')
    with pytest.raises(SystemExit, match='2'):
        main(['configs', *words])
    told = capsys.readouterr()
    assert told.out == ''
    assert told.err.startswith(f'error: {said}')
    assert told.err.count('\n') == 1
    assert [path.name for path in tmp_path.iterdir()] == ['file']

"""``posediff new-plugin`` writes a package that passes its own tests, or nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from posediff.cli.new_plugin import TEMPLATE, main, write_plugin

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture(scope='module')
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package in a folder of its own."""
    return write_plugin('my_lifter', tmp_path_factory.mktemp('plugins') / 'elsewhere' / 'my_lifter')


def run(*arguments: str, cwd: Path, path: tuple[Path, ...]) -> str:
    """Run Python with these folders on its path; returns what it printed."""
    folders = [*map(str, path), *filter(None, [os.environ.get('PYTHONPATH')])]
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(folders), 'PYTEST_ADDOPTS': ''},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tests_of_a_new_plugin_pass(plugin: Path, repository: Path) -> None:
    arguments = ('-q', '-p', 'no:cacheprovider', '--strict-markers', '-m', 'not gpu')
    last = run('-m', 'pytest', *arguments, cwd=plugin, path=(repository,)).splitlines()[-1]
    assert ' passed' in last
    assert 'skipped' not in last


def test_an_installed_new_plugin_is_found_by_name(plugin: Path, repository: Path, tmp_path: Path) -> None:
    """With the metadata that pip makes of its pyproject.toml."""
    declared = tomllib.loads((plugin / 'pyproject.toml').read_text())['project']
    info = tmp_path / 'my_lifter-0.1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {declared["name"]}\nVersion: 0.1.0\n')
    (info / 'top_level.txt').write_text('my_lifter\n')
    groups = [
        f'[{group}]\n' + ''.join(f'{name} = {value}\n' for name, value in points.items())
        for group, points in declared['entry-points'].items()
    ]
    (info / 'entry_points.txt').write_text('\n'.join(groups))
    listed = run('-m', 'posediff', 'list', cwd=tmp_path, path=(tmp_path, plugin, repository))
    assert ['MyLifterDenoiser', 'my_lifter.denoiser', 'my-lifter'] in [line.split() for line in listed.splitlines()]
    assert ['my-lifter-jsonl', 'my_lifter.exporter', 'my-lifter'] in [line.split() for line in listed.splitlines()]
    cases = 'from posediff.testing import declared_cases\nprint(*declared_cases("denoisers"))'
    assert 'MyLifterDenoiser' in run('-c', cases, cwd=tmp_path, path=(tmp_path, plugin, repository)).split()


def test_every_template_is_written_without_a_placeholder_left(plugin: Path) -> None:
    written = {str(path.relative_to(plugin)) for path in plugin.rglob('*') if '_base_' not in path.parts}
    wanted = {str(path.relative_to(TEMPLATE))[:-5].replace('NAME', 'my_lifter') for path in TEMPLATE.rglob('*.tmpl')}
    assert wanted <= written
    assert len(wanted) > 7
    for name in wanted:
        text = (plugin / name).read_text()
        assert not [word for word in ('NAME', '@name', '@class', '@base', '@distribution') if word in text], name


def test_what_is_written_is_formatted(plugin: Path) -> None:
    pytest.importorskip('ruff')
    settings = ['--isolated', '--config', 'line-length=120']
    run('-m', 'ruff', 'check', *settings, '--select', 'E,F,I,UP,B', '--ignore', 'B905', '.', cwd=plugin, path=())
    style = ['--config', 'format.quote-style="single"']
    run('-m', 'ruff', 'format', '--check', *settings, *style, 'my_lifter', 'tests', cwd=plugin, path=())


def test_what_was_written_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / 'empty'
    folder.mkdir()
    main(['wavelets', '--out', str(folder)])
    printed = capsys.readouterr().out
    assert f'written {folder}/:' in printed
    assert '  wavelets/denoiser.py\n' in printed
    assert f'python -m pytest {folder}\n' in printed


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('my-lifter', 'such as my_lifter'),
        ('MyLifter', 'such as mylifter'),
        ('2d', 'use lower-case letters'),
        ('../up', 'such as up'),
        ('lambda', 'it is a keyword of Python'),
        ('match', 'it is a keyword of Python'),
        ('json', 'a module of the standard library'),
        ('torch', "a package 'torch' is installed already"),
        ('posediff', "a package 'posediff' is installed already"),
    ],
)
def test_a_name_that_no_package_can_have_is_one_error(
    name: str,
    reason: str,
    tmp_path: Path,
    exit_code: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code(main, [name, '--out', str(tmp_path / 'plugin')]) == 2
    told = capsys.readouterr().err
    assert reason in told
    assert told.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_an_installed_distribution_is_taken(tmp_path: Path) -> None:
    """Distributions whose module has another name are found too."""
    modules = metadata.packages_distributions()
    other = next(
        name.lower()
        for name in sorted({names[0] for names in modules.values()})
        if name.isidentifier() and name.lower() not in modules
    )
    with pytest.raises(ValueError, match=f'installed already .distribution {other}'):
        write_plugin(other, tmp_path / 'plugin')


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / 'thesis.tex').write_text('text')
    with pytest.raises(FileExistsError, match='is not an empty folder'):
        write_plugin('wavelets', tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']


def test_nothing_is_left_of_a_plugin_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = tmp_path / 'template'
    template.mkdir()
    (template / 'a.py.tmpl').write_text('@name@')
    (template / 'b.py.tmpl').write_text('@nonsense@')
    monkeypatch.setattr('posediff.cli.new_plugin.TEMPLATE', template)
    with pytest.raises(KeyError):
        write_plugin('wavelets', tmp_path / 'plugins' / 'wavelets')
    assert list((tmp_path / 'plugins').iterdir()) == []

"""Plugins of installed packages are found and loaded once; their errors are reported in one sentence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from posediff.plugins import GROUP, PluginError, load_plugins, registered_by
from posediff.plugins import entry_points as plugins
from posediff.registry import DENOISERS, REGISTRIES

COMPONENT = """
from posediff.registry import DENOISERS

@DENOISERS.register_module()
class {name}:
    pass
"""


@pytest.fixture(autouse=True)
def untouched_registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start each test without loaded plugins, and remove what it registers."""
    plugins.import_components()
    monkeypatch.setattr(plugins, '_outcomes', {})
    before = {kind: dict(registry._module_dict) for kind, registry in REGISTRIES.items()}
    modules = set(sys.modules)
    plugins._owners.cache_clear()
    yield
    plugins._owners.cache_clear()
    for kind, registry in REGISTRIES.items():
        registry._module_dict.clear()
        registry._module_dict.update(before[kind])
    for name in set(sys.modules) - modules:
        if name.startswith(('fake_', 'posediff_mixer')):
            del sys.modules[name]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a folder of installed packages, first on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(site: Path, package: str, entry_point: str, source: str) -> None:
    """Return a function that installs a package: its module, and metadata with an entry point."""
    module = package.replace('-', '_')
    (site / f'{module}.py').write_text(source)
    info = site / f'{module}-1.2.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n')
    (info / 'top_level.txt').write_text(f'{module}\n')
    (info / 'entry_points.txt').write_text(f'[{GROUP}]\n{entry_point} = {module}\n')


def test_an_installed_plugin_is_loaded_once_and_known_by_its_package(site: Path) -> None:
    install(site, 'fake-wavelets', 'wavelets', COMPONENT.format(name='WaveletDenoiser'))
    assert 'WaveletDenoiser' not in DENOISERS
    assert 'wavelets' in load_plugins()
    assert registered_by(DENOISERS.get('WaveletDenoiser')) == 'fake-wavelets'
    first = DENOISERS.get('WaveletDenoiser')
    assert 'wavelets' in load_plugins()
    assert DENOISERS.get('WaveletDenoiser') is first


def test_only_the_plugins_asked_for_are_loaded(site: Path) -> None:
    install(site, 'fake-a', 'plugin_a', COMPONENT.format(name='FakeA'))
    install(site, 'fake-b', 'plugin_b', 'raise RuntimeError("never imported")')
    assert load_plugins(['plugin_a']) == ['plugin_a']
    assert 'FakeA' in DENOISERS
    with pytest.raises(PluginError, match="no installed package has the plugin 'plugin_c'.*plugin_a, plugin_b"):
        load_plugins(['plugin_c'])


def test_a_plugin_that_does_not_import_is_one_clear_error_every_time(site: Path) -> None:
    install(site, 'fake-broken', 'broken', COMPONENT.format(name='HalfRegistered') + '\nimport no_such_package\n')
    expected = (
        "plugin 'broken' of package fake-broken 1.2 does not import \\(fake_broken\\): "
        "ModuleNotFoundError: No module named 'no_such_package'"
    )
    for _ in range(2):
        with pytest.raises(PluginError, match=expected):
            load_plugins()


def test_a_name_of_posediff_taken_again_names_both_sides(site: Path) -> None:
    install(site, 'fake-thief', 'thief', COMPONENT.format(name='CTGCNDenoiser'))
    ours = DENOISERS.get('CTGCNDenoiser')
    with pytest.raises(PluginError) as caught:
        load_plugins()
    message = str(caught.value)
    assert "plugin 'thief' of package fake-thief 1.2: fake_thief registers 'CTGCNDenoiser' in denoisers" in message
    assert 'posediff.models.denoisers.graph of package posediff has that name already' in message
    assert DENOISERS.get('CTGCNDenoiser') is ours


def test_a_name_two_plugins_register_names_both_packages(site: Path) -> None:
    install(site, 'fake-first', 'a_first', COMPONENT.format(name='SameName'))
    install(site, 'fake-second', 'b_second', COMPONENT.format(name='SameName'))
    with pytest.raises(PluginError, match='package fake-second 1.2.*fake_first of package fake-first has that name'):
        load_plugins()


def test_metadata_seen_twice_is_one_plugin(site: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    install(site, 'fake-twice', 'twice', COMPONENT.format(name='TwiceSeen'))
    other = tmp_path_factory.mktemp('other')
    install(other, 'fake-twice', 'twice', COMPONENT.format(name='TwiceSeen'))
    sys.path.append(str(other))
    try:
        assert load_plugins().count('twice') == 1
    finally:
        sys.path.remove(str(other))


def test_registered_by_without_metadata_is_the_top_level_package() -> None:
    assert registered_by(DENOISERS.get('CTGCNDenoiser')) == 'posediff'


def test_importing_posediff_loads_no_plugin(site: Path, repository: Path) -> None:
    install(site, 'fake-loud', 'loud', 'raise SystemExit("a plugin was imported")')
    code = 'import posediff, posediff.registry, posediff.plugins'
    subprocess.run([sys.executable, '-c', code], check=True, env={'PYTHONPATH': f'{site}:{repository}'}, timeout=120)


def test_the_worked_example_is_found_through_its_entry_point(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Install the example plugin with the metadata of its pyproject.toml; CI installs it with pip."""
    source = repository / 'plugins' / 'posediff_mixer'
    declared = (source / 'pyproject.toml').read_text()
    assert f'[project.entry-points."{GROUP}"]\nmixer = "posediff_mixer"' in declared
    install(tmp_path, 'fake-mixer', 'example', 'import posediff_mixer\n')
    monkeypatch.syspath_prepend(str(source))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert 'example' in load_plugins()
    assert DENOISERS.get('JointTimeMixer').__module__ == 'posediff_mixer.denoiser'
    denoiser = (source / 'posediff_mixer' / 'denoiser.py').read_text()
    assert len([line for line in denoiser.splitlines() if line.strip()]) < 60

"""The plan of docs/architecture.md, the layers in pyproject.toml and the folders of the package are the same."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

APART = {'doctor', 'installation'}  # above no folder and below none


@pytest.fixture(scope='module')
def folders(repository: Path) -> set[str]:
    return {path.parent.name for path in (repository / 'posediff').glob('*/__init__.py')}


@pytest.fixture(scope='module')
def layers(repository: Path) -> list[set[str]]:
    """Folders of each layer, from the top, as import-linter reads them."""
    contracts = tomllib.loads((repository / 'pyproject.toml').read_text())['tool']['importlinter']['contracts']
    (contract,) = (one for one in contracts if one['type'] == 'layers')
    return [{name.strip().removeprefix('posediff.') for name in line.split('|')} for line in contract['layers']]


def test_every_folder_has_a_layer(folders, layers):
    assert set().union(*layers) - {'registry'} == folders - APART


def test_the_plan_shows_the_layers(repository, layers):
    page = (repository / 'docs/architecture.md').read_text()
    (plan,) = re.findall(r'^```text\n(testing .*?)^```', page, flags=re.MULTILINE | re.DOTALL)
    known = set().union(*layers)
    shown = []
    for line in plan.splitlines():
        words = re.split(r'\s+', line)
        # a description begins at the first word that is no folder
        count = next((number for number, word in enumerate(words) if word not in known), len(words))
        shown.append(set(words[:count]))
    assert shown == layers


def test_at_most_three_modules_lie_loose(repository):
    loose = {path.name for path in (repository / 'posediff').glob('*.py')}
    assert loose == {'__init__.py', '__main__.py', 'registry.py'}


def test_files_that_the_walks_name_exist(repository):
    page = (repository / 'docs/architecture.md').read_text()
    section = page.split('## The plan of the package')[1].split('\n## ')[0]
    named = re.findall(r'`([a-z_0-9]+(?:/[a-z_0-9]+)*(?:\.py|/))`', section)
    assert len(named) > 20
    assert [name for name in named if not (repository / 'posediff' / name).exists()] == []

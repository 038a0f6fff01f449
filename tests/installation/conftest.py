"""An environment to install into."""

from __future__ import annotations

import pytest

from posediff.installation.virtual_env import VirtualEnvironment


@pytest.fixture(scope='package')
def fresh_venv(tmp_path_factory: pytest.TempPathFactory) -> VirtualEnvironment:
    """A virtual environment with nothing but pip, for an empty checkout without pins."""
    folder = tmp_path_factory.mktemp('venv')
    (folder / 'constraints.txt').write_text('')
    environment = VirtualEnvironment(folder / 'env', folder, folder / 'constraints.txt')
    environment.create()
    return environment

"""Small inputs as users have them, each with a known correct result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def field_case(reference_data: Path) -> Callable[[str], Path]:
    """Return a function that returns the folder of a case by its name."""

    def find(name: str) -> Path:
        folder = reference_data / 'field_cases' / name
        if not folder.is_dir():
            pytest.skip(f'field case {name} is not at {folder}')
        return folder

    return find

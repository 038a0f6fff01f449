"""Fixtures that several test folders use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope='session')
def reference_data() -> Path:
    """Folder of reference cases and real recordings; not part of the project, so tests that need it skip without it."""
    folder = Path(os.environ.get('POSEDIFF_TEST_DATA', REPOSITORY.parent / 'shared' / 'data'))
    if not folder.is_dir():
        pytest.skip(f'reference data is not at {folder}; name its folder in POSEDIFF_TEST_DATA')
    return folder

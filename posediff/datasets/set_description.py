"""The description of a generated dataset, which protects its folder."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

DESCRIPTION = 'dataset.json'


def check_description(
    root: Path, description: Mapping[str, Any], besides: Collection[str] = ()
) -> dict[str, Any] | None:
    """Check that a folder is new, empty, or was generated with the same description.

    Args:
        root: Folder of the dataset.
        description: Arguments that determine the content, as values for JSON.
        besides: Keys that may differ.

    Returns:
        The description in the folder; None if it has none.

    Raises:
        FileExistsError: The folder has other content, or was generated with other arguments.
    """
    path = root / DESCRIPTION
    if not path.is_file():
        if root.is_dir() and any(root.iterdir()):
            raise FileExistsError(f'{root} is not empty and has no {DESCRIPTION}; choose another folder')
        return None
    found: dict[str, Any] = json.loads(path.read_text())
    keys = {*found, *description} - {*besides}
    differing = sorted(key for key in keys if found.get(key) != description.get(key))
    if differing:
        changes = ', '.join(f'{key} {_short(found, key)}, not {_short(description, key)}' for key in differing)
        raise FileExistsError(f'{root} was made with other arguments: {changes}; choose another folder')
    return found


def _short(description: Mapping[str, Any], key: str) -> str:
    text = str(description.get(key))
    return text if len(text) <= 40 else f'{text[:37]}…'

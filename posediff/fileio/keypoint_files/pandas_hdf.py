"""Read a pandas table in an HDF5 file without pandas, whose own reader executes code from the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.restricted_pickle import unpickle


def read_table(file: Path) -> tuple[list[Any], list[tuple[Any, ...]], np.ndarray]:
    """Read the only numeric table of a file, in pandas's ``table`` or ``fixed`` format.

    Returns:
        Row index (tuples if it has several levels), column labels, and values, float64.

    Raises:
        ImportError: h5py is not installed.
        ValueError: The file is not HDF5, or holds no table, or several.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"{file}: .h5 files need the package h5py: pip install 'posediff[keypoint-files]'") from error
    try:
        with h5py.File(file, 'r') as root:
            kinds = {name: _kind(group) for name, group in root.items() if isinstance(group, h5py.Group)}
            found = [name for name, kind in kinds.items() if kind in ('frame', 'frame_table')]
            if len(found) != 1:
                raise ValueError(f'it holds {len(found)} pandas tables ({", ".join(root) or "nothing"}), not one')
            group = root[found[0]]
            return _of_table(file, group) if kinds[found[0]] == 'frame_table' else _fixed(group)
    except (OSError, KeyError, IndexError, TypeError, RuntimeError, ValueError) as error:
        raise ValueError(f'{file} is not a readable HDF5 file of a pandas table: {error}') from error


def _kind(group: Any) -> str:
    value = group.attrs.get('pandas_type', b'')
    return value.decode() if isinstance(value, bytes) else str(value)


def _of_table(file: Path, group: Any) -> tuple[list[Any], list[tuple[Any, ...]], np.ndarray]:
    rows = group['table'][...]
    labels, values = [], []
    for number in range(1000):
        name = f'values_block_{number}'
        if name not in rows.dtype.names:
            break
        kind = unpickle(_bytes(group['table'].attrs[f'{name}_kind']), f'{file}[{name}_kind]')
        labels += [tuple(label) if isinstance(label, list | tuple) else (label,) for label in kind]
        values.append(rows[name].reshape(len(rows), -1))
    table = np.concatenate(values, axis=1).astype(np.float64)
    if table.shape[1] != len(labels):
        raise ValueError(f'{table.shape[1]} columns with {len(labels)} labels')
    return [_text(one) for one in rows['index'].tolist()], labels, table


def _fixed(group: Any) -> tuple[list[Any], list[tuple[Any, ...]], np.ndarray]:
    index = _axis(group, 'axis1')
    labels: list[tuple[Any, ...]] = []
    values = []
    for number in range(int(group.attrs['nblocks'])):
        labels += _axis(group, f'block{number}_items')
        values.append(group[f'block{number}_values'][...].reshape(len(index), -1))
    table = np.concatenate(values, axis=1).astype(np.float64)
    if table.shape[1] != len(labels):
        raise ValueError(f'{table.shape[1]} columns with {len(labels)} labels')
    return [one[0] if len(one) == 1 else one for one in index], labels, table


def _axis(group: Any, name: str) -> list[tuple[Any, ...]]:
    if name in group:
        return [(_text(one),) for one in group[name][...].tolist()]
    levels: list[list[Any]] = []
    while f'{name}_level{len(levels)}' in group:
        number = len(levels)
        texts = [_text(one) for one in group[f'{name}_level{number}'][...].tolist()]
        levels.append([texts[code] for code in group[f'{name}_label{number}'][...].tolist()])
    return list(zip(*levels, strict=True))


def _text(value: Any) -> Any:
    return value.decode('utf-8', errors='replace') if isinstance(value, bytes) else value


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else bytes(value)

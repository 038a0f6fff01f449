"""Random generators of torch and NumPy that depend on a seed and a name only."""

from __future__ import annotations

import hashlib
import numbers

import numpy as np
import torch


def seeded_generator(seed: int, sample_id: object) -> torch.Generator:
    """Return a CPU generator seeded by (seed, sample_id) only, not by batch size, order, process or device."""
    digest = hashlib.blake2b(f'{seed}:{sample_id}'.encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, 'little') >> 1)


def named_rng(seed: int, name: str) -> np.random.Generator:
    """Return a random generator that depends on a seed and a name only."""
    digest = hashlib.sha256(f'{seed}/{name}'.encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


def plain_id(name: object) -> object:
    """Return a canonical form of an id: 3 for NumPy's 3, 3.0 and '3'; a str for NumPy's strings; tuples by item.

    The type of an id depends on the file format: NumPy integers, int or text in JSON, or 3.0 in a float column.
    """
    if isinstance(name, tuple):
        return tuple(plain_id(part) for part in name)
    if isinstance(name, str):
        text = str(name)
        return int(text) if text.isascii() and text.removeprefix('-').isdigit() and str(int(text)) == text else text
    if isinstance(name, numbers.Integral):
        return int(name)
    if isinstance(name, numbers.Real):
        number = float(name)
        return int(number) if number.is_integer() else number
    return name

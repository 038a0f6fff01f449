"""Generators that follow from a seed and a name alone."""

from __future__ import annotations

import hashlib
import numbers

import torch


def seeded_generator(seed: int, sample_id: object) -> torch.Generator:
    """CPU generator that depends on (seed, sample_id) alone: not on batch size, order, process or device."""
    digest = hashlib.blake2b(f'{seed}:{sample_id}'.encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, 'little') >> 1)


def plain_id(name: object) -> object:
    """One form for ids that mean the same: 3 for numpy's 3, 3.0 and '3'; a plain str for numpy's; tuples by item.

    A table gives ids as numpy's integers, JSON as int or text, a float column as 3.0. Who is meant must not depend on
    the reader.
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

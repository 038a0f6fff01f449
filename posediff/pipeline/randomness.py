"""Seeding of the global random generators within a block."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def forked_rng(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator within the block, and restore the generators of torch, NumPy and Python afterwards.

    Random weights are drawn from the CPU generator, regardless of the device. The generators are shared by all threads
    of a process: other threads draw from the seeded generator too.

    Args:
        seed: Seed of torch's generator; the generators of NumPy and Python are only restored.
    """
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        torch.default_generator.manual_seed(seed)
        yield
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])

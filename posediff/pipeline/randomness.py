"""Random numbers for code that draws from the process's generators, without a trace in those of the caller."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def forked_rng(seed: int) -> Iterator[None]:
    """Seed torch's generator for the block, and give the generators of torch, numpy and Python back as they were.

    Only the CPU's generator of torch is seeded: networks draw their weights there, whatever device they go to. The
    generators of a process are the same in all of its threads: what another thread draws meanwhile is seeded too.

    Args:
        seed: Of torch's generator; those of numpy and Python draw on as they are.
    """
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        torch.default_generator.manual_seed(seed)
        yield
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])

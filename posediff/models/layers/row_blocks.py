"""Split rows into blocks that a CUDA kernel accepts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

MAX_ROWS = 65_535
"""Maximum number of rows of torch's fused attention on CUDA; more exceed the grid of the kernel ("invalid configuration
argument", pytorch/pytorch issue 146704)."""


def in_row_blocks(function: Callable[..., Tensor], *rows: Tensor, max_rows: int = MAX_ROWS) -> Tensor:
    """Apply a function with independent rows to blocks of rows.

    Args:
        function: Function of tensors with a common first axis that returns a tensor with that axis.
        rows: Tensors (N, …).
        max_rows: Maximum number of rows per block.

    Returns:
        (N, …), equal to the result of one call.
    """
    if len(rows[0]) <= max_rows:
        return function(*rows)
    return torch.cat([function(*block) for block in zip(*(tensor.split(max_rows) for tensor in rows), strict=True)])

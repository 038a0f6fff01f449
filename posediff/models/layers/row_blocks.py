"""Attention over more rows than a CUDA kernel takes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

MAX_ROWS = 65_535
"""Rows that torch's fused attention takes on CUDA: they are an axis of the kernel's grid, which ends there ("invalid
configuration argument", pytorch/pytorch issue 146704)."""


def in_row_blocks(function: Callable[..., Tensor], *rows: Tensor, max_rows: int = MAX_ROWS) -> Tensor:
    """Apply a function that treats rows independently to blocks of them, where they are more than a kernel takes.

    Args:
        function: Of tensors that share their first axis; gives a tensor with that axis.
        rows: Tensors (N, …).
        max_rows: Rows of a block.

    Returns:
        (N, …), the same as from one call.
    """
    if len(rows[0]) <= max_rows:
        return function(*rows)
    return torch.cat([function(*block) for block in zip(*(tensor.split(max_rows) for tensor in rows), strict=True)])

"""Hypotheses as rows of one batch: draw their noise, fold them, split them to fit a memory budget.

Axes: B clips, M hypotheses a clip, N = B·M rows, b-major: row ``b * M + m``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

Generators = torch.Generator | Sequence[torch.Generator] | None


def draw_noise(
    draws: int,
    batch: int,
    num_hypotheses: int,
    state_shape: tuple[int, ...],
    device: torch.device,
    generator: Generators,
) -> Tensor:
    """Draw all noise of a sampling run in float32, before any chunking.

    Args:
        draws: Random draws that the sampler consumes for a row.
        batch: B.
        num_hypotheses: M.
        state_shape: Shape of one x_t.
        device: Where the noise is wanted. A generator may live elsewhere (a CPU generator gives the same poses on any
            device).
        generator: None for torch's global one, one generator, or a list of B: with a list a clip's noise does not
            depend on the other clips in the batch.

    Returns:
        float32 (draws, B, M, *state_shape).
    """

    def normal(shape: tuple[int, ...], one: torch.Generator | None) -> Tensor:
        return torch.randn(shape, generator=one, device=device if one is None else one.device).to(device)

    if generator is None or isinstance(generator, torch.Generator):
        return normal((draws, batch, num_hypotheses, *state_shape), generator)
    if len(generator) != batch:
        raise ValueError(f'a list of generators needs one per clip: got {len(generator)} for a batch of {batch}')
    return torch.stack([normal((draws, num_hypotheses, *state_shape), one) for one in generator], dim=1)


def chunks(batch: int, num_hypotheses: int, max_rows: int) -> Iterator[tuple[slice, slice]]:
    """Split B × M rows into blocks of at most ``max_rows``: whole clips while they fit, else parts of one clip.

    Yields:
        (slice over B, slice over M); together the slices cover every row once.

    Raises:
        ValueError: ``max_rows`` < 1.
    """
    if max_rows < 1:
        raise ValueError(f'max_rows must be at least 1, got {max_rows}')
    if max_rows >= num_hypotheses:
        clips = max(max_rows // max(num_hypotheses, 1), 1)
        for first in range(0, batch, clips):
            yield slice(first, min(first + clips, batch)), slice(0, num_hypotheses)
        return
    for clip in range(batch):
        for first in range(0, num_hypotheses, max_rows):
            yield slice(clip, clip + 1), slice(first, min(first + max_rows, num_hypotheses))

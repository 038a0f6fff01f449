"""Split the rows of a batch of hypotheses into blocks.

Axes: B clips, M hypotheses per clip, N = B·M rows, b-major: row ``b * M + m``.
"""

from __future__ import annotations

from collections.abc import Iterator


def chunks(batch: int, num_hypotheses: int, max_rows: int) -> Iterator[tuple[slice, slice]]:
    """Yield blocks of at most ``max_rows`` of B × M rows: whole clips if they fit, else parts of one clip.

    Yields:
        (slice over B, slice over M); together, the blocks contain every row once.

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

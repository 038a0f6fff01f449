"""Text tables."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str | float | None]], digits: int = 2) -> str:
    """Return a Markdown table that is also readable as plain text.

    Args:
        header: Column titles.
        rows: Cells; floats are rounded to ``digits``, None is shown as a dash. The first column is left-aligned.

    Raises:
        ValueError: A row's length differs from the header's.
    """
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f'a row of {len(row)} cells under a header of {len(header)}: {row}')
    cells = [list(header), *([_format_cell(cell, digits) for cell in row] for row in rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(header))]
    lines = [_format_row(row, widths) for row in cells]
    rule = ['-' * width if column == 0 else '-' * (width - 1) + ':' for column, width in enumerate(widths)]
    lines.insert(1, f'| {" | ".join(rule)} |')
    return '\n'.join(lines)


def _format_cell(cell: str | float | None, digits: int) -> str:
    if cell is None:
        return '–'
    return f'{cell:.{digits}f}' if isinstance(cell, float) else str(cell)


def _format_row(row: Sequence[str], widths: Sequence[int]) -> str:
    aligned = [
        text.ljust(width) if column == 0 else text.rjust(width)
        for column, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return f'| {" | ".join(aligned)} |'

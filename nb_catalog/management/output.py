"""Tables and bars for terminal output."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> Iterator[str]:
    """Yield the lines of a table whose first row is the header.

    Columns whose index is in ``right`` are right-aligned. If the terminal is too narrow, each cell
    gets a line of its own.
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    if sum(widths) + 2 * len(widths) > shutil.get_terminal_size((200, 24)).columns:
        head, *rest = rows
        for row in rest:
            yield row[0]
            for name, cell in zip(head[1:], row[1:], strict=True):
                yield f"    {name}: {cell}" if name else f"    {cell}"
        return
    for row in rows:
        cells = [
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def bar(share: float, *, width: int = 30) -> str:
    """Return a bar for ``share`` (0 to 1) of ``width`` characters, drawn in eighths."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")

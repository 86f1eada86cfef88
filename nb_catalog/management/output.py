"""Tables and bars on a terminal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> Iterator[str]:
    """``rows`` in columns, the first one as the head; columns numbered in ``right`` end flush. On a
    terminal that is too narrow each row goes on in lines of its own."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    if sum(widths) + 2 * len(widths) > shutil.get_terminal_size((200, 24)).columns:
        yield from _narrow(rows)
        return
    for row in rows:
        cells = [
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _narrow(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    head, *rest = rows
    for row in rest:
        yield row[0]
        for name, cell in zip(head[1:], row[1:], strict=True):
            yield f"    {name}: {cell}" if name else f"    {cell}"


def bar(share: float, *, width: int = 30) -> str:
    """A bar of ``share`` (0 to 1) of ``width`` signs, to an eighth of a sign."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")

"""Tables and bars on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> Iterator[str]:
    """``rows`` in columns, the first one as the head; columns numbered in ``right`` end flush."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def bar(share: float, *, width: int = 30) -> str:
    """A bar of ``share`` (0 to 1) of ``width`` signs, to an eighth of a sign."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")

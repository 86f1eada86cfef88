"""Helpers for iterables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def blocks(items: Iterable[T], *, size: int) -> Iterator[list[T]]:
    """Yield ``items`` in lists of at most ``size`` (``itertools.batched`` needs Python 3.12)."""
    iterator = iter(items)
    while block := list(islice(iterator, size)):
        yield block

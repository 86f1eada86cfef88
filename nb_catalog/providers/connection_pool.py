"""Connections to a service: made late, one for each process, event loop and address."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

A = TypeVar("A")
L = TypeVar("L")


class ConnectionPool(Generic[A, L]):
    """Lines by address. Connections belong to their event loop, and what a forked child inherited
    shares its sockets with the parent: it is left alone."""

    def __init__(self) -> None:
        self._lines: dict[int, dict[asyncio.AbstractEventLoop, dict[A, L]]] = {}
        # Each thread with an event loop of its own changes the outer dictionaries.
        self._lock = threading.Lock()

    def here(self) -> dict[A, L]:
        """The lines of this process and of the running event loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            loops = self._lines.setdefault(os.getpid(), {})
            if loop not in loops:
                for ended in [other for other in loops if other.is_closed()]:
                    loops.pop(ended, None)
            return loops.setdefault(loop, {})

    def line(self, address: A, *, opened: Callable[[A], L]) -> L:
        """The line to ``address``, ``opened`` when there is none yet."""
        # The innermost dictionary is this loop's own, and so this thread's.
        lines = self.here()
        if address not in lines:
            lines[address] = opened(address)
        return lines[address]

    def taken(self, address: A) -> L | None:
        """The line to ``address``, to be closed by who asks; None when there is none."""
        return self.here().pop(address, None)

    def ended(self) -> int:
        """How many loops of this process have ended and are still remembered."""
        return sum(loop.is_closed() for loop in self._lines.get(os.getpid(), {}))

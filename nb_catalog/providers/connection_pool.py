"""Connections to a service, opened on first use: one per process, event loop and key."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
C = TypeVar("C")


class ConnectionPool(Generic[K, C]):
    """Connections by key. A connection belongs to one event loop. Connections that a forked child
    inherits share their sockets with the parent, so the child ignores them."""

    def __init__(self) -> None:
        self._connections: dict[int, dict[asyncio.AbstractEventLoop, dict[K, C]]] = {}
        # Every thread that runs an event loop modifies the outer dictionaries.
        self._lock = threading.Lock()

    def current(self) -> dict[K, C]:
        """Return the connections of this process and of the running event loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            loops = self._connections.setdefault(os.getpid(), {})
            if loop not in loops:
                for closed in [other for other in loops if other.is_closed()]:
                    loops.pop(closed, None)
            return loops.setdefault(loop, {})

    def get(self, key: K, *, open: Callable[[K], C]) -> C:
        """Return the connection for ``key``; call ``open`` if there is none yet."""
        # The innermost dictionary belongs to this loop, and so to this thread.
        connections = self.current()
        if key not in connections:
            connections[key] = open(key)
        return connections[key]

    def pop(self, key: K) -> C | None:
        """Remove the connection for ``key`` and return it for the caller to close; None if there
        is none."""
        return self.current().pop(key, None)

    def closed_loops(self) -> int:
        """Return the number of closed event loops of this process that still have an entry."""
        return sum(loop.is_closed() for loop in self._connections.get(os.getpid(), {}))

"""What a stream of events reads: the database's state, at intervals, once for all streams of a process."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from django.db import close_old_connections

T = TypeVar("T")

POLL_SECONDS: Final = 1.0
# The threads that read for all streams of a process: so many connections may they open.
_threads: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="nb-catalog-live")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. A client that names ``id`` when it connects again gets what came after it."""

    name: str
    id: str
    data: Mapping[str, Any]

    def encode(self) -> bytes:
        """Return the event in the format of ``text/event-stream``."""
        data = json.dumps(self.data, separators=(",", ":"))
        return f"event: {self.name}\nid: {self.id}\ndata: {data}\n\n".encode()


class Feed(ABC, Generic[T]):
    """A kind of events. Feeds with the same ``key`` see the same state, so that one of them is asked.

    All methods run in a thread, where they may query the database.
    """

    key: Hashable

    @abstractmethod
    def read(self, before: T | None) -> T:
        """Return the current state. ``before`` is what the last call returned."""

    @abstractmethod
    def events(self, state: T, *, after: str) -> list[Event]:
        """Return the events up to ``state`` that follow the one with the id ``after``; empty for a client
        that has not seen any."""

    @abstractmethod
    def position(self, state: T) -> str:
        """Return the id after which nothing that ``state`` contains needs to be sent again."""

    def is_over(self, state: T) -> bool:
        """Return whether there will be no further events."""
        return False


@dataclass(slots=True, eq=False)
class Source(Generic[T]):
    """The state of a feed, shared by the streams of one event loop."""

    feed: Feed[T]
    streams: int = 0
    state: T | None = None
    read_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(self) -> T:
        """Return a state that is at most ``POLL_SECONDS`` old."""
        async with self.lock:
            now = asyncio.get_running_loop().time()
            if self.state is None or now - self.read_at >= POLL_SECONDS:
                before = self.state
                self.state = await in_thread(lambda: self.feed.read(before))
                self.read_at = now
            return self.state


_sources: Final[dict[Hashable, Source[Any]]] = {}


def join(feed: Feed[T]) -> Source[T]:
    """Return the source for a stream of ``feed``. Call ``leave`` when the stream ends."""
    key = (id(asyncio.get_running_loop()), feed.key)
    source: Source[T] = _sources.setdefault(key, Source(feed))
    source.streams += 1
    return source


def leave(source: Source[Any]) -> None:
    """Forget the state of ``source`` if this was its last stream."""
    source.streams -= 1
    if not source.streams:
        for key in [key for key, each in _sources.items() if each is source]:
            del _sources[key]


def open_streams() -> int:
    """Return the number of streams that this process serves."""
    return sum(source.streams for source in list(_sources.values()))


async def in_thread(function: Callable[[], T]) -> T:
    """Run ``function``, which uses the database, in a thread that keeps no connection afterwards (unless
    ``CONN_MAX_AGE`` allows it: the threads are two)."""

    def run() -> T:
        close_old_connections()
        try:
            return function()
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_threads, run)

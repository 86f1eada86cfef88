"""The one thread that talks to the database, and groups what it is told into few commits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from django.db import InterfaceError, OperationalError, connection

from nb_catalog.core import tracing
from nb_catalog.worker import persistence
from nb_catalog.worker.types import ClaimedJob, JobOutcome

logger = logging.getLogger(__name__)

T = TypeVar("T")
Entry = tuple[ClaimedJob | JobOutcome, "asyncio.Future[bool]"]

# Long enough for a burst of answers to arrive together, short beside any call. At 100 pictures
# a second it makes some 12 transactions a second of 200 moves.
WINDOW: Final = 0.080
# So many entries are enough for a transaction: what waits no longer saves nothing more.
ENOUGH: Final = 100
# How long a database may be gone before the worker gives up. Nothing is lost then either:
# leases run out, and paid bytes lie in the staging directory.
PATIENCE: Final = 120.0


class GroupCommitWriter:
    """Group commit. ``commits`` counts transactions, for whoever measures them. ``crowd`` tells how
    many could have something to write: once all of them have, nobody is waited for."""

    def __init__(self, *, crowd: Callable[[], int]) -> None:
        self.commits = 0
        self._crowd = crowd
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nb-catalog-database")
        self._entries: list[Entry] = []
        self._rung, self._enough = asyncio.Event(), asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._writing = asyncio.create_task(self._write_on())

    async def close(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        await self.ask(_close_connection)
        self._thread.shutdown()

    async def ask(self, question: Callable[..., T], *args: Any, **options: Any) -> T:
        """Run ``question`` in the database thread, again while the database is away."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda: with_db_retry(question, *args, **options)
        )

    async def write(self, entry: ClaimedJob | JobOutcome) -> bool:
        """Begin an order, or end one: whether it was still ours. Returns after the commit."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._entries.append((entry, done))
        self._rung.set()
        if len(self._entries) >= min(ENOUGH, self._crowd() or ENOUGH):
            self._enough.set()
        return await done

    async def _write_on(self) -> None:
        while True:
            await self._rung.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WINDOW):
                    await self._enough.wait()
            self._rung.clear()
            self._enough.clear()
            entries, self._entries = self._entries, []
            if entries:
                await self._commit(entries)

    async def _commit(self, entries: list[Entry]) -> None:
        """One transaction for all; when one entry is poison, one for each."""
        orders = [entry for entry in entries if isinstance(entry[0], ClaimedJob)]
        endings = [entry for entry in entries if isinstance(entry[0], JobOutcome)]
        self.commits += 1
        try:
            with tracing.span("commit", begun=len(orders), ended=len(endings)):
                held = await self.ask(
                    persistence.write_outcomes,
                    [entry[0] for entry in orders],
                    [entry[0] for entry in endings],
                )
        except (OperationalError, InterfaceError) as error:
            for _, done in entries:
                done.set_exception(error)
        except Exception as error:  # noqa: BLE001 - what one entry holds must not stop the others
            if len(entries) == 1:
                entries[0][1].set_exception(error)
            else:
                for entry in entries:
                    await self._commit([entry])
        else:
            self._answer(orders + endings, held)

    def _answer(self, entries: list[Entry], held: list[bool]) -> None:
        for (_, done), answer in zip(entries, held, strict=True):
            if not done.done():
                done.set_result(answer)


def _close_connection() -> None:
    # Looked up here: ``connection`` is a different object in every thread.
    connection.close()


def with_db_retry(question: Callable[..., T], *args: Any, **options: Any) -> T:
    """Ask, and ask again on a new connection while the database is locked or gone."""
    started, pause = time.monotonic(), 0.05
    while True:
        try:
            return question(*args, **options)
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() - started > PATIENCE:
                raise
            logger.warning("The database does not answer (%s); trying again.", error)
            connection.close()
            time.sleep(pause)
            pause = min(2.0, pause * 2)

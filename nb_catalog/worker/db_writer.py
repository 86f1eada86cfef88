"""Group commit: the one thread that uses the database, and writes transitions in few transactions."""

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

# Long enough for a burst of responses to arrive together, short beside any call. At 100 pictures
# a second it makes some 12 transactions a second of 200 transitions.
WINDOW: Final = 0.080
# With this many entries a transaction starts at once: waiting longer saves nothing more.
ENOUGH: Final = 100
# How long a database may be unreachable before the worker gives up. Nothing is lost then either:
# leases run out, and paid bytes are in the spool.
PATIENCE: Final = 120.0


class GroupCommitWriter:
    """Group commit. ``commits`` counts transactions, for measurements.

    ``pending_count`` returns the number of potential writers; once all have queued an entry, the
    commit is not delayed further.
    """

    def __init__(self, *, pending_count: Callable[[], int]) -> None:
        self.commits = 0
        self._pending_count = pending_count
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nb-catalog-database")
        self._entries: list[Entry] = []
        self._has_entries, self._has_enough = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._commit_windows())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        # Looked up in the thread: ``connection`` is a different object in each.
        await self.run_in_db(lambda: connection.close())
        self._thread.shutdown()

    async def run_in_db(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        """Run ``function`` in the database thread, and retry while the database is unreachable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda: with_db_retry(function, *args, **options)
        )

    async def write(self, entry: ClaimedJob | JobOutcome) -> bool:
        """Begin a job, or end one. Return after the commit whether it was still ours."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._entries.append((entry, done))
        self._has_entries.set()
        if len(self._entries) >= min(ENOUGH, self._pending_count() or ENOUGH):
            self._has_enough.set()
        return await done

    async def _commit_windows(self) -> None:
        while True:
            await self._has_entries.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WINDOW):
                    await self._has_enough.wait()
            self._has_entries.clear()
            self._has_enough.clear()
            entries, self._entries = self._entries, []
            if entries:
                await self._commit(entries)

    async def _commit(self, entries: list[Entry]) -> None:
        """Write all in one transaction, or each in its own if one entry breaks it."""
        jobs = [(entry, done) for entry, done in entries if isinstance(entry, ClaimedJob)]
        outcomes = [(entry, done) for entry, done in entries if isinstance(entry, JobOutcome)]
        self.commits += 1
        try:
            with tracing.span("commit", begun=len(jobs), ended=len(outcomes)):
                results = await self.run_in_db(
                    persistence.write_outcomes,
                    [job for job, _ in jobs],
                    [outcome for outcome, _ in outcomes],
                )
        except (OperationalError, InterfaceError) as error:
            for _, done in entries:
                done.set_exception(error)
        except Exception as error:  # noqa: BLE001 - one broken entry must not stop the others
            if len(entries) == 1:
                entries[0][1].set_exception(error)
            else:
                for entry in entries:
                    await self._commit([entry])
        else:
            for (_, done), is_ours in zip([*jobs, *outcomes], results, strict=True):
                if not done.done():
                    done.set_result(is_ours)


def with_db_retry(function: Callable[..., T], *args: Any, **options: Any) -> T:
    """Call ``function``, and again on a new connection while the database is locked or unreachable."""
    started, pause = time.monotonic(), 0.05
    while True:
        try:
            return function(*args, **options)
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() - started > PATIENCE:
                raise
            logger.warning("The database does not respond (%s); trying again.", error)
            connection.close()
            time.sleep(pause)
            pause = min(2.0, pause * 2)

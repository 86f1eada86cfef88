"""Sends what is due: one event loop in a thread of its own, beside a worker's."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from django.db import connections

from nb_catalog.models.db.broken_connections import close_broken
from nb_catalog.webhooks import outbox, transport
from nb_catalog.webhooks.failures import Failure
from nb_catalog.webhooks.outbox import Attempt, Message

logger = logging.getLogger(__name__)

T = TypeVar("T")

# How often an idle process looks for messages.
POLL_SECONDS: Final = 1.0
# Attempts that end within this time are written together.
WINDOW: Final = 0.02
# How long a process that stops goes on to send what is due. What is being sent then is waited for.
LAST_SECONDS: Final = 5.0
# Threads that look names up, which may take long for some of them.
LOOKUPS: Final = 64


@contextmanager
def in_background() -> Iterator[None]:
    """Send what is due in a thread of its own, and what is due at the end, for a few seconds."""
    ended = threading.Event()
    thread = threading.Thread(
        target=_Sender(ended=ended).work, name="nb-catalog-webhooks", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def send_due(*, seconds: float = LAST_SECONDS) -> bool:
    """Send what is due, for about ``seconds``, and return whether more is. Any number of processes may call
    it at the same time."""
    if not outbox.are_due():
        return False
    ended = threading.Event()
    ended.set()
    sender = _Sender(ended=ended, last_seconds=seconds)
    # A thread of its own: the caller's may have an event loop already.
    thread = threading.Thread(target=sender.work, name="nb-catalog-webhooks")
    thread.start()
    thread.join()
    return outbox.are_due()


async def _send(message: Message, *, sessions: transport.Sessions) -> Attempt:
    """Send ``message`` once. Whatever its receiver makes happen is a failure of this message only."""
    try:
        return await transport.send(message, sessions=sessions)
    except Exception:  # noqa: BLE001 - what receivers respond cannot all be foreseen
        logger.exception("Message %s could not be sent.", message.message_id)
        return Attempt(message=message, failure=Failure.CONNECTION)


class _Sender:
    """``ended`` is set when the process stops: then, what is due is sent for ``last_seconds``."""

    def __init__(self, *, ended: threading.Event, last_seconds: float = LAST_SECONDS) -> None:
        self._ended = ended
        self._last_seconds = last_seconds
        self._in_flight: dict[asyncio.Task[Attempt], Message] = {}
        self._database = ThreadPoolExecutor(1, thread_name_prefix="nb-catalog-webhooks-database")

    def work(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        asyncio.get_running_loop().set_default_executor(
            ThreadPoolExecutor(LOOKUPS, thread_name_prefix="nb-catalog-webhooks-lookup")
        )
        stops_at = inf = float("inf")
        try:
            async with transport.open_sessions() as sessions:
                while True:
                    claims = time.monotonic() < stops_at
                    if stops_at == inf and self._ended.is_set():
                        stops_at = time.monotonic() + self._last_seconds
                    messages = await self._step(claims=claims)
                    for message in messages:
                        task = asyncio.create_task(_send(message, sessions=sessions))
                        self._in_flight[task] = message
                    if stops_at != inf and not self._in_flight:
                        return
                    await self._wait()
        finally:
            await self._in_database(connections.close_all)
            self._database.shutdown()

    async def _step(self, *, claims: bool) -> list[Message]:
        """Write what has ended, and claim what is due if it ``claims``."""
        ended = [task for task in self._in_flight if task.done()]
        attempts = [task.result() for task in ended]
        counts = Counter(
            message.endpoint for task, message in self._in_flight.items() if task not in ended
        )

        def step() -> list[Message]:
            close_broken()
            if attempts:
                outbox.write_attempts(attempts)
            return outbox.claim_due(counts) if claims else []

        try:
            messages = await self._in_database(step)
        except Exception:  # noqa: BLE001 - the one thread that sends must not end
            # What has ended is written at the next step.
            logger.exception("Messages of webhooks could not be read; it is tried again.")
            await asyncio.sleep(POLL_SECONDS)
            return []
        for task in ended:
            del self._in_flight[task]
        return messages

    async def _wait(self) -> None:
        """Wait until an attempt ends, or it is time to look for messages."""
        if not self._in_flight:
            # The event is a thread's: asked for often, so that a process stops soon.
            deadline = time.monotonic() + POLL_SECONDS
            while time.monotonic() < deadline and not self._ended.is_set():
                await asyncio.sleep(0.05)
            return
        await asyncio.wait(
            self._in_flight, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        await asyncio.sleep(WINDOW)

    async def _in_database(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._database, function)

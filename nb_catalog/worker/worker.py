"""The loop: claims, calls in flight, leases renewed, what others left behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import uuid4

from django.db import DatabaseError

from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.worker import claims, queue, recovery, spool
from nb_catalog.worker.batches import BatchCoordinator, heartbeat, work_is_due
from nb_catalog.worker.concurrency import FreeLimit, PaidLimit
from nb_catalog.worker.db_writer import GroupCommitWriter
from nb_catalog.worker.execution import WorkerContext, process
from nb_catalog.worker.types import ClaimedJob, JobOutcome

logger = logging.getLogger(__name__)

# Threads that parse, decode, check and store paid pictures while the loop waits on the network.
POOL_THREADS: Final = 4
IDLE_SECONDS: Final = 0.5
BUSY_SECONDS: Final = 0.02
# While few calls have started, room for the next ones comes by itself.
WARM_UP_STEP: Final = 0.1

Progress = Callable[[JobOutcome], None]


class Worker:
    """One event loop with ``concurrency`` calls in flight and one thread for the database.

    ``on_ending`` is called after each commit. ``commits`` and ``endings`` count what was done.
    Without ``batches`` it leaves those to other workers.
    """

    def __init__(
        self,
        *,
        concurrency: int | None = None,
        free_threads: int | None = None,
        on_ending: Progress | None = None,
        batches: bool = True,
    ) -> None:
        self.concurrency = concurrency or settings.CONCURRENCY
        self.free_threads = free_threads or settings.FREE_THREADS
        self.owner = f"{os.getpid()}-{uuid4().hex}"[:40]
        self.endings: Counter[str] = Counter()
        self.commits = 0
        self._on_ending = on_ending
        self._does_batches = batches
        self._in_hand: dict[asyncio.Task[JobOutcome | None], ClaimedJob] = {}
        self._paid, self._free = PaidLimit(self.concurrency), FreeLimit(self.free_threads)
        self._room_again = asyncio.Event()
        self._has_room = True
        self._stopping = False

    def stop(self) -> None:
        """Claim nothing more; finish what is in hand."""
        self._stopping = True

    def run(self, *, until_idle: bool = False, seconds: float | None = None) -> Counter[str]:
        """Work until told to stop, until nothing is queued, or for a slice of time.

        Answers how many orders ended by which move. Must not be called from a running event
        loop, nor inside a transaction: the database thread would not see what it wrote.
        """
        return asyncio.run(self.work_on(until_idle=until_idle, seconds=seconds))

    async def work_on(
        self, *, until_idle: bool = False, seconds: float | None = None
    ) -> Counter[str]:
        self._paid.open()
        deadline = None if seconds is None else time.monotonic() + seconds
        free_pool = ThreadPoolExecutor(self.free_threads, thread_name_prefix="nb-catalog-free")
        asyncio.get_running_loop().set_default_executor(free_pool)
        with (
            ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="nb-catalog-pool") as pool,
            ThreadPoolExecutor(1, thread_name_prefix="nb-catalog-mailroom") as mailroom,
        ):
            lines = asyncio.Semaphore(self.concurrency)
            clerk = GroupCommitWriter(crowd=lambda: len(self._in_hand))
            shop = WorkerContext(clerk=clerk, pool=pool, mailroom=mailroom, lines=lines)
            shop.clerk.open()
            desk = BatchCoordinator(
                owner=self.owner,
                shop=shop,
                is_stopping=lambda: self._stopping,
                on_ending=self._count,
            )
            leases = asyncio.create_task(self._keep_leases(shop, desk))
            sitting = asyncio.create_task(self._sit(desk, shop))
            try:
                await self._loop(shop, desk, until_idle=until_idle, deadline=deadline)
            finally:
                await self._close(shop, desk, leases, sitting)
        return self.endings

    async def _sit(self, desk: BatchCoordinator, shop: WorkerContext) -> None:
        if self._does_batches:
            await desk.sit()

    async def _close(
        self,
        shop: WorkerContext,
        desk: BatchCoordinator,
        leases: asyncio.Task[None],
        sitting: asyncio.Task[None],
    ) -> None:
        """What is on a line finishes, and so does a step with a batch; the rest goes back."""
        shop.closing = True
        desk.close()
        await asyncio.gather(*self._in_hand, sitting, return_exceptions=True)
        leases.cancel()
        await asyncio.gather(leases, return_exceptions=True)
        await shop.close()
        await shop.clerk.close()
        self.commits = shop.clerk.commits

    async def _loop(
        self,
        shop: WorkerContext,
        desk: BatchCoordinator,
        *,
        until_idle: bool,
        deadline: float | None,
    ) -> None:
        await self._sweep(shop)
        swept = time.monotonic()
        while not self._stopping and (deadline is None or time.monotonic() < deadline):
            if time.monotonic() - swept > settings.LEASE_SECONDS / 2:
                await self._sweep(shop)
                swept = time.monotonic()
            self._room_again.clear()
            found = await self._fill(shop)
            if not found and not self._in_hand:
                if until_idle and not await self._more_will_come(shop, desk):
                    return
                await asyncio.sleep(IDLE_SECONDS)
                await shop.clerk.ask(recovery.requeue_due)
            elif not found:
                await self._wait_for_room()

    async def _more_will_come(self, shop: WorkerContext, desk: BatchCoordinator) -> bool:
        if await shop.clerk.ask(queue.slots_will_come):
            return True
        if not self._does_batches:
            return False
        return desk.is_busy or await shop.clerk.ask(work_is_due)

    async def _wait_for_room(self) -> None:
        """Until an order ends, then long enough for those that end with it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WARM_UP_STEP if self._paid.is_warming_up else IDLE_SECONDS):
                await self._room_again.wait()
        await asyncio.sleep(BUSY_SECONDS)

    async def _fill(self, shop: WorkerContext) -> bool:
        """Claim for each lane as much as it has room for. Whether anything came."""
        found = False
        for lane in (self._free, self._paid):
            room = lane.room(may_rest=bool(self._in_hand))
            if not room or not (lane.is_free or self._can_stage()):
                continue
            orders = await shop.clerk.ask(
                claims.claim, owner=self.owner, limit=room, free=lane.is_free
            )
            lane.note_claim(len(orders))
            found = found or bool(orders)
            for order in orders:
                self._start(order, shop)
        return found

    def _can_stage(self) -> bool:
        """Whether what is paid for would find room on the disk."""
        had_room, self._has_room = self._has_room, spool.has_room()
        if had_room and not self._has_room:
            logger.error("The disk of STAGING_DIR is full: no calls are made that cost money.")
        return self._has_room

    def _start(self, order: ClaimedJob, shop: WorkerContext) -> None:
        task = asyncio.create_task(process(order, shop=shop), name=f"job {order.job_id}")
        self._in_hand[task] = order
        task.add_done_callback(self._note)

    def _note(self, task: asyncio.Task[JobOutcome | None]) -> None:
        order = self._in_hand.pop(task)
        (self._free if order.is_free else self._paid).note_end()
        self._room_again.set()
        if (error := task.exception()) is not None:
            # The database or our own code; the lease runs out and a sweep takes the job up.
            logger.error(
                "Job %s broke its worker.",
                order.job_id,
                exc_info=error,
                extra=logs.fields(**order.labels),
            )
        elif (ending := task.result()) is not None:
            self._count(ending)

    def _count(self, ending: JobOutcome) -> None:
        self.endings[ending.move] += 1
        self._tell(ending)

    def _tell(self, ending: JobOutcome) -> None:
        logger.log(
            logging.WARNING if ending.move == "lose" else logging.INFO,
            "Job %s: %s.",
            ending.order.job_id,
            ending.move,
            extra=logs.fields(**ending.labels),
        )
        if self._on_ending is not None:
            self._on_ending(ending)

    async def _keep_leases(self, shop: WorkerContext, desk: BatchCoordinator) -> None:
        while True:
            await asyncio.sleep(settings.LEASE_SECONDS / 3)
            try:
                await shop.clerk.ask(claims.heartbeat, list(self._in_hand.values()))
                await shop.clerk.ask(heartbeat, list(desk.held))
            except DatabaseError:
                # The database may be back before the leases end: the next beat tries again.
                logger.exception("The leases could not be renewed.")

    async def _sweep(self, shop: WorkerContext) -> None:
        for ending in await shop.clerk.ask(recovery.sweep):
            self._tell(ending)


def work_is_waiting() -> bool:
    """Whether a worker would find something to do now."""
    return queue.work_is_waiting() or work_is_due()


def drain(*, on_ending: Progress | None = None, concurrency: int | None = None) -> Counter[str]:
    """Work in this process until nothing is queued. Answers endings by move."""
    return Worker(concurrency=concurrency, on_ending=on_ending).run(until_idle=True)

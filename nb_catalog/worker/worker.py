"""The loop: claims, calls in flight, leases renewed, recovery of what others left behind."""

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

from django.db import Error

from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.worker import claims, queue, recovery, run_starts, spool
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
# While the worker warms up, its capacity grows without a job having ended.
WARM_UP_STEP: Final = 0.1

OnOutcome = Callable[[JobOutcome], None]


class Worker:
    """One event loop with ``concurrency`` calls in flight and one thread for the database.

    ``on_outcome`` is called after each commit. ``commits`` and ``outcomes`` (by transition) count what
    was done. Without ``batches`` it leaves those to other workers.
    """

    def __init__(
        self,
        *,
        concurrency: int | None = None,
        free_threads: int | None = None,
        on_outcome: OnOutcome | None = None,
        batches: bool = True,
    ) -> None:
        self.concurrency = concurrency or settings.CONCURRENCY
        self.free_threads = free_threads or settings.FREE_THREADS
        self.owner = f"{os.getpid()}-{uuid4().hex}"[:40]
        self.outcomes: Counter[str] = Counter()
        self.commits = 0
        self._on_outcome = on_outcome
        self._does_batches = batches
        self._running: dict[asyncio.Task[JobOutcome | None], ClaimedJob] = {}
        self._paid, self._free = PaidLimit(self.concurrency), FreeLimit(self.free_threads)
        self._job_ended = asyncio.Event()
        self._disk_has_room = True
        self._starts_looked_for = float("-inf")
        self._writes_run = False
        self._stopping = False

    def stop(self) -> None:
        """Claim nothing more; finish the running jobs."""
        self._stopping = True

    def run(self, *, until_idle: bool = False, seconds: float | None = None) -> Counter[str]:
        """Work until ``stop`` is called, until nothing is queued, or for a slice of time.

        Returns how many jobs ended by which transition. Must not be called from a running event
        loop, nor inside a transaction: the database thread would not see what it wrote.
        """
        return asyncio.run(self.run_async(until_idle=until_idle, seconds=seconds))

    async def run_async(
        self, *, until_idle: bool = False, seconds: float | None = None
    ) -> Counter[str]:
        """Do what ``run`` does in a running event loop."""
        self._paid.open()
        deadline = None if seconds is None else time.monotonic() + seconds
        free_pool = ThreadPoolExecutor(self.free_threads, thread_name_prefix="nb-catalog-free")
        asyncio.get_running_loop().set_default_executor(free_pool)
        with (
            ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="nb-catalog-pool") as pool,
            ThreadPoolExecutor(1, thread_name_prefix="nb-catalog-spool") as spool_executor,
        ):
            context = WorkerContext(
                writer=GroupCommitWriter(pending_count=lambda: len(self._running)),
                pool=pool,
                spool_executor=spool_executor,
                call_semaphore=asyncio.Semaphore(self.concurrency),
                is_stopping=lambda: self._stopping,
                on_outcome=self._count,
            )
            context.writer.open()
            coordinator = BatchCoordinator(owner=self.owner, context=context)
            leases = asyncio.create_task(self._keep_leases(context, coordinator))
            background = [asyncio.create_task(coordinator.run())] if self._does_batches else []
            try:
                await self._loop(context, coordinator, until_idle=until_idle, deadline=deadline)
            finally:
                # Calls in flight finish, and so does a step with a batch; the rest is handed back.
                context.closing = True
                coordinator.close()
                await asyncio.gather(*self._running, *background, return_exceptions=True)
                leases.cancel()
                await asyncio.gather(leases, return_exceptions=True)
                if self._writes_run:
                    await context.writer.run_in_db(run_starts.release, owner=self.owner)
                await context.close()
                await context.writer.close()
                self.commits = context.writer.commits
        return self.outcomes

    async def _loop(
        self,
        context: WorkerContext,
        coordinator: BatchCoordinator,
        *,
        until_idle: bool,
        deadline: float | None,
    ) -> None:
        run_in_db = context.writer.run_in_db
        swept = float("-inf")
        while not self._stopping and (deadline is None or time.monotonic() < deadline):
            if time.monotonic() - swept > settings.LEASE_SECONDS / 2:
                for outcome in await run_in_db(recovery.sweep):
                    self._report(outcome)
                swept = time.monotonic()
            self._job_ended.clear()
            claimed = await self._claim(context)
            if await self._write_run(context):
                continue
            if not claimed and not self._running:
                if (
                    until_idle
                    and not await run_in_db(queue.slots_will_come)
                    and not (
                        self._does_batches and (coordinator.is_busy or await run_in_db(work_is_due))
                    )
                ):
                    return
                await asyncio.sleep(IDLE_SECONDS)
                await run_in_db(recovery.requeue_due)
            elif not claimed:
                # Until a job ends, then long enough for those that end with it.
                wait = WARM_UP_STEP if self._paid.is_warming_up else IDLE_SECONDS
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._job_ended.wait()
                await asyncio.sleep(BUSY_SECONDS)

    async def _write_run(self, context: WorkerContext) -> bool:
        """Write a block of jobs of a run that is being started. Return whether there was one."""
        is_due = time.monotonic() - self._starts_looked_for > IDLE_SECONDS
        if not (self._writes_run or is_due or not self._running):
            return False
        self._starts_looked_for = time.monotonic()
        run_in_db = context.writer.run_in_db
        self._writes_run = await run_in_db(run_starts.write_next_block, owner=self.owner)
        return self._writes_run

    async def _claim(self, context: WorkerContext) -> bool:
        """Claim and start as many free and paid jobs as there are slots. Return whether any came."""
        any_claimed = False
        for limit in (self._free, self._paid):
            free_slots = limit.free_slots(may_back_off=bool(self._running))
            if not free_slots:
                continue
            if not limit.is_free:
                # What is paid for needs room on the disk.
                had_room, self._disk_has_room = self._disk_has_room, spool.has_room()
                if had_room and not self._disk_has_room:
                    logger.error("The disk of STAGING_DIR is full: no paid calls are made.")
                if not self._disk_has_room:
                    continue
            jobs = await context.writer.run_in_db(
                claims.claim, owner=self.owner, limit=free_slots, free=limit.is_free
            )
            limit.record_claim(len(jobs))
            any_claimed = any_claimed or bool(jobs)
            for job in jobs:
                task = asyncio.create_task(process(job, context=context), name=f"job {job.job_id}")
                self._running[task] = job
                task.add_done_callback(self._end)
        return any_claimed

    def _end(self, task: asyncio.Task[JobOutcome | None]) -> None:
        job = self._running.pop(task)
        (self._free if job.is_free else self._paid).record_end()
        self._job_ended.set()
        if (error := task.exception()) is not None:
            # The database or our own code; the lease runs out and a sweep requeues the job.
            logger.error(
                "Job %s broke its worker.",
                job.job_id,
                exc_info=error,
                extra=logs.fields(**job.labels),
            )
        elif (outcome := task.result()) is not None:
            self._count(outcome)

    def _count(self, outcome: JobOutcome) -> None:
        self.outcomes[outcome.move] += 1
        self._report(outcome)

    def _report(self, outcome: JobOutcome) -> None:
        logger.log(
            logging.WARNING if outcome.move == "lose" else logging.INFO,
            "Job %s: %s.",
            outcome.job.job_id,
            outcome.move,
            extra=logs.fields(**outcome.labels),
        )
        if self._on_outcome is not None:
            self._on_outcome(outcome)

    async def _keep_leases(self, context: WorkerContext, coordinator: BatchCoordinator) -> None:
        while True:
            await asyncio.sleep(settings.LEASE_SECONDS / 3)
            try:
                await context.writer.run_in_db(claims.heartbeat, list(self._running.values()))
                await context.writer.run_in_db(heartbeat, list(coordinator.held))
            except Error:
                # The database may be back before the leases end: the next beat tries again.
                logger.exception("The leases could not be renewed.")


def work_is_waiting() -> bool:
    """Return whether a worker would find something to do now."""
    return queue.work_is_waiting() or work_is_due() or run_starts.are_waiting()


def drain(*, on_outcome: OnOutcome | None = None, concurrency: int | None = None) -> Counter[str]:
    """Work in this process until nothing is queued. Return outcomes by transition."""
    return Worker(concurrency=concurrency, on_outcome=on_outcome).run(until_idle=True)

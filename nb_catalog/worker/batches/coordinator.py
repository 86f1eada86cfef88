"""Coordinator: advances one provider batch at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from django.db import Error

from nb_catalog.core.states import BatchState
from nb_catalog.exceptions import InvalidSettings, InvalidTransition
from nb_catalog.models import ProviderBatch
from nb_catalog.providers.batches import BatchProvider, takes_batches
from nb_catalog.worker.batches import polling, queries, request_file, schedule, submission
from nb_catalog.worker.execution import WorkerContext

logger = logging.getLogger(__name__)


class BatchCoordinator:
    """``owner`` holds the batches that are worked on here; ``held`` are those, for the heartbeat."""

    def __init__(self, *, owner: str, context: WorkerContext) -> None:
        self.owner = owner
        self.held: list[ProviderBatch] = []
        self.is_busy = False
        self._context = context
        self._is_closing = asyncio.Event()

    def close(self) -> None:
        """Take no further step, and end an idle wait at once: a worker stops without delay."""
        self._is_closing.set()

    async def run(self) -> None:
        """Take steps until ``close``; the current step is finished."""
        while not self._is_closing.is_set():
            self.is_busy = True
            did_something = False
            try:
                did_something = await self.step()
            except InvalidTransition:
                logger.info("A batch was taken over by another worker.")
            except Error:
                logger.exception("The database did not take what is known of a batch.")
            except Exception:  # noqa: BLE001 - a provider is a plug-in and may raise anything
                logger.exception("A batch broke its worker. It is retried when its lease ends.")
            finally:
                self.held.clear()
                self.is_busy = False
            if not did_something:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._is_closing.wait(), schedule.IDLE_SECONDS)

    async def step(self) -> bool:
        """Advance a batch that is due, otherwise create a new one. Return whether there was one."""
        context = self._context
        run_in_db = context.writer.run_in_db
        batch = await run_in_db(queries.claim_due, owner=self.owner)
        if batch is not None:
            self.held.append(batch)
            # What a worker that died may have left on this machine.
            await context.run_in_pool(request_file.remove, request_file.path_of(batch.name))
            if batch.state == BatchState.OPEN:
                await submission.close(batch, error=submission.DIED, context=context)
                return True
            provider = await self._provider_of(batch)
            if provider is None:
                return True
            if batch.state == BatchState.SENDING:
                await submission.look_up(batch, provider=provider, context=context)
            elif batch.state == BatchState.READY:
                report = polling.report_of(batch)
                await polling.fetch(batch, report, provider=provider, context=context)
            else:
                await polling.poll(batch, provider=provider, context=context)
            return True
        created = await run_in_db(queries.create_batch, owner=self.owner)
        if created is None:
            return False
        batch, jobs = created
        self.held.append(batch)
        provider = await self._provider_of(batch)
        if provider is not None:
            await submission.assemble(batch, jobs, provider=provider, context=context)
        return True

    async def _provider_of(self, batch: ProviderBatch) -> BatchProvider | None:
        """Return None, and poll later, while the settings do not have the provider: its batch is
        neither lost nor submitted again meanwhile."""
        try:
            provider = self._context.provider(batch.provider)
            if takes_batches(provider):
                return provider
            message = "The provider takes no batches now."
        except InvalidSettings as error:
            message = str(error)
        await self._context.writer.run_in_db(
            queries.release, batch, wait=schedule.LONGEST_WAIT, error=message
        )
        return None

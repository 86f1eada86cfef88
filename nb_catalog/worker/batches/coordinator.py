"""The desk: whoever sits here takes one batch at a time a step further."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from django.db import DatabaseError

from nb_catalog.core.states import BatchState
from nb_catalog.exceptions import InvalidSettings, InvalidTransition
from nb_catalog.models import ProviderBatch
from nb_catalog.providers.batches import BatchProvider, takes_batches
from nb_catalog.worker.batches import polling, queries, request_file, schedule, submission
from nb_catalog.worker.batches.seat import Seat
from nb_catalog.worker.execution import WorkerContext
from nb_catalog.worker.types import JobOutcome

logger = logging.getLogger(__name__)


class BatchCoordinator:
    """``owner`` holds the batches that are worked on here; ``held`` are those, for the heartbeat.

    ``is_stopping`` and ``on_ending`` are the ``Seat``'s.
    """

    def __init__(
        self,
        *,
        owner: str,
        shop: WorkerContext,
        is_stopping: Callable[[], bool],
        on_ending: Callable[[JobOutcome], None],
    ) -> None:
        self.owner = owner
        self.held: list[ProviderBatch] = []
        self.is_busy = False
        self._is_closing = asyncio.Event()
        self._seat = Seat(shop=shop, is_stopping=is_stopping, on_ending=on_ending)

    async def sit(self) -> None:
        """Take steps until ``close``; a step that is under way is finished."""
        while not self._is_closing.is_set():
            if not await self._step_safely():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._is_closing.wait(), schedule.IDLE_SECONDS)

    def close(self) -> None:
        """Take no further step; end an idle wait at once, so that a worker stops without delay."""
        self._is_closing.set()

    async def _step_safely(self) -> bool:
        self.is_busy = True
        try:
            return await self.step()
        except InvalidTransition:
            logger.info("A batch was taken over by another worker.")
        except DatabaseError:
            logger.exception("The database did not take what is known of a batch.")
        except Exception:  # noqa: BLE001 - a provider is a plug-in and may raise anything
            logger.exception("A batch broke its worker. It is taken up again when its lease ends.")
        finally:
            self.held.clear()
            self.is_busy = False
        return False

    async def step(self) -> bool:
        """Look after a batch that is due, else put a new one together. Whether there was one."""
        batch = await self._seat.ask(queries.claim_due, owner=self.owner)
        if batch is not None:
            self.held.append(batch)
            await self._look_after(batch)
            return True
        gathered = await self._seat.ask(queries.create_batch, owner=self.owner)
        if gathered is None:
            return False
        batch, orders = gathered
        self.held.append(batch)
        maker = await self._maker(batch)
        if maker is not None:
            await submission.assemble(self._seat, batch, orders, maker=maker)
        return True

    async def _look_after(self, batch: ProviderBatch) -> None:
        # What a worker that died may have left on this machine.
        await self._seat.shop.in_pool(request_file.remove, request_file.path_of(batch.name))
        if batch.state == BatchState.OPEN:
            await submission.close(self._seat, batch, error=submission.DIED)
            return
        maker = await self._maker(batch)
        if maker is None:
            return
        if batch.state == BatchState.SENDING:
            await submission.look_up(self._seat, batch, maker)
        elif batch.state == BatchState.READY:
            await polling.fetch(self._seat, batch, polling.report_of(batch), maker)
        else:
            await polling.poll(self._seat, batch, maker)

    async def _maker(self, batch: ProviderBatch) -> BatchProvider | None:
        """None, and another look later, while the settings do not have the provider: what is with
        it is neither lost nor made again meanwhile."""
        try:
            maker = self._seat.shop.provider(batch.provider)
        except InvalidSettings as error:
            await self._seat.release(batch, wait=schedule.LONGEST_LOOK, error=str(error))
            return None
        if takes_batches(maker):
            return maker
        await self._seat.release(
            batch, wait=schedule.LONGEST_LOOK, error="The provider takes no batches now."
        )
        return None

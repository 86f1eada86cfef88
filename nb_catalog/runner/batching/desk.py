"""The desk: whoever sits here takes one batch at a time a step further."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.db import DatabaseError
from django.utils import timezone

from nb_catalog.conf import settings
from nb_catalog.exceptions import (
    IllegalMove,
    InvalidSettings,
    NBCatalogError,
    OutcomeUnknown,
    ProviderError,
    ServiceUnavailable,
)
from nb_catalog.models import ProviderBatch
from nb_catalog.models.moves import move_batch
from nb_catalog.providers.batches import BatchProvider, takes_batches
from nb_catalog.runner import endings, staging
from nb_catalog.runner.batching import fetching, filling, items, shelf
from nb_catalog.runner.orders import Ending, Order
from nb_catalog.runner.work import Workshop
from nb_catalog.states import BatchState
from nb_catalog.types import BatchReport

logger = logging.getLogger(__name__)

IDLE_SECONDS: Final = 0.5
# Between two looks at a batch: at first soon, for small ones come back quickly, then rarely.
FIRST_LOOK: Final = 20.0
LONGEST_LOOK: Final = 600.0
GROWTH: Final = 1.5
# How long a batch whose hand-in was cut off may take to show up, and how often it is looked for.
GRACE: Final = 60.0
MOST_LOOKUPS: Final = 3
# After a provider has given a batch up, how long until nothing is expected of it any more.
AFTER_EXPIRY: Final = timedelta(hours=2)


class Desk:
    """``owner`` holds the batches that are worked on here; ``held`` are those, for the heartbeat.

    ``is_stopping`` is asked between lines: a batch that is being put together then goes back, one
    whose results are being fetched is left for another time.
    """

    def __init__(
        self,
        *,
        owner: str,
        shop: Workshop,
        is_stopping: Callable[[], bool],
        on_ending: Callable[[Ending], None],
    ) -> None:
        self.owner = owner
        self.held: list[ProviderBatch] = []
        self.is_busy = False
        self._shop = shop
        self._is_stopping = is_stopping
        self._on_ending = on_ending

    async def sit(self, *, is_closing: Callable[[], bool]) -> None:
        """Take steps until it is closing time; the step underway is finished."""
        while not is_closing():
            if not await self._step_safely():
                await asyncio.sleep(IDLE_SECONDS)

    async def _step_safely(self) -> bool:
        self.is_busy = True
        try:
            return await self.step()
        except IllegalMove:
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
        batch = await self._shop.clerk.ask(shelf.take_due, owner=self.owner)
        if batch is not None:
            self.held.append(batch)
            await self._look_after(batch)
            return True
        gathered = await self._shop.clerk.ask(shelf.gather, owner=self.owner)
        if gathered is None:
            return False
        batch, orders = gathered
        self.held.append(batch)
        await self._put_together(batch, orders)
        return True

    async def _look_after(self, batch: ProviderBatch) -> None:
        # What a worker that died may have left on this machine.
        await self._shop.in_pool(_remove, filling.path_of(batch.name))
        if batch.state == BatchState.OPEN:
            await self._close(batch, error=_DIED)
            return
        maker = await self._maker(batch)
        if maker is None:
            return
        if batch.state == BatchState.SENDING:
            await self._look_up(batch, maker)
        elif batch.state == BatchState.READY:
            await self._fetch(batch, _report(batch), maker)
        else:
            await self._poll(batch, maker)

    async def _maker(self, batch: ProviderBatch) -> BatchProvider | None:
        """None, and another look later, while the settings do not have the provider: what is with
        it is neither lost nor made again meanwhile."""
        try:
            maker = self._shop.provider(batch.provider)
        except InvalidSettings as error:
            await self._release(batch, wait=LONGEST_LOOK, error=str(error))
            return None
        if takes_batches(maker):
            return maker
        await self._release(batch, wait=LONGEST_LOOK, error="The provider takes no batches now.")
        return None

    # Handing in

    async def _put_together(self, batch: ProviderBatch, orders: list[Order]) -> None:
        maker = await self._maker(batch)
        if maker is None or maker.batch_limits is None:
            return
        path = filling.path_of(batch.name)
        try:
            filled = await self._shop.in_pool(
                filling.fill,
                path,
                orders,
                maker=maker,
                most_bytes=maker.batch_limits.bytes,
                is_stopping=self._is_stopping,
            )
            for order, problem in filled.problems:
                await self._end(order, problem)
            for order in filled.left_over:
                await self._shop.clerk.write(items.not_sent(order, _FULL))
            if filled.written:
                await self._shop.clerk.ask(shelf.note_photos, batch, filled.written)
                await self._hand_in(batch, path, maker, written=len(filled.written))
            else:
                await self._shop.clerk.ask(shelf.close, batch)
        finally:
            await self._shop.in_pool(_remove, path)

    async def _end(self, order: Order, problem: NBCatalogError) -> None:
        ending = endings.never_sent(order, problem)
        if await self._shop.clerk.write(ending):
            self._on_ending(ending)

    async def _hand_in(
        self, batch: ProviderBatch, path: Path, maker: BatchProvider, *, written: int
    ) -> None:
        try:
            file = await maker.upload(path, name=batch.name)
        except ProviderError as error:
            await self._close(batch, error=error)
            return
        await self._shop.clerk.ask(
            move_batch, batch, "send", input_file=file, items=written, looks=0
        )
        try:
            name = await maker.submit(file, model=batch.model, name=batch.name)
        except ProviderError as error:
            await self._look_up(batch, maker, refused=error)
        else:
            await self._accept(batch, name, maker)

    async def _accept(self, batch: ProviderBatch, name: str, maker: BatchProvider) -> None:
        now = timezone.now()
        try:
            await self._shop.clerk.ask(
                move_batch,
                batch,
                "accept",
                service_name=name,
                submitted_at=now,
                looks=0,
                error="",
                error_code="",
            )
        except IllegalMove:
            # We were thought dead, and the pictures have been queued again. This batch must not
            # make them too.
            logger.warning("Batch %s was handed in too late and is called off.", batch.name)
            await maker.call_off(name)
            raise
        await self._release(batch, wait=FIRST_LOOK)

    async def _look_up(
        self, batch: ProviderBatch, maker: BatchProvider, *, refused: ProviderError | None = None
    ) -> None:
        """Find out whether a batch whose hand-in failed or was cut off is with the provider.

        Nothing is handed in again before the provider has said, more than once, that it is not.
        """
        try:
            names = await maker.find(batch.name)
        except ProviderError as error:
            await self._release(batch, wait=GRACE, error=str(error), looks=batch.looks)
            return
        if names:
            for superfluous in names[1:]:
                await maker.call_off(superfluous)
            await self._accept(batch, names[0], maker)
        elif refused is not None and _is_definite(refused):
            await self._close(batch, error=refused, maker=maker)
        elif batch.looks + 1 >= MOST_LOOKUPS:
            await self._close(batch, error=refused or _DIED, maker=maker)
        else:
            await self._release(batch, wait=GRACE, error=str(refused or _DIED))

    async def _close(
        self, batch: ProviderBatch, *, error: NBCatalogError, maker: BatchProvider | None = None
    ) -> None:
        await self._shop.clerk.ask(shelf.close, batch, error=error)
        logger.warning("Batch %s did not go out (%s).", batch.name, error.code)
        if maker is not None:
            await _forget(batch, maker)

    # Waiting

    async def _poll(self, batch: ProviderBatch, maker: BatchProvider) -> None:
        try:
            report = await maker.poll(batch.service_name)
        except ProviderError as error:
            await self._release(batch, wait=_gap(batch.looks), error=str(error))
            return
        if report.is_final or self._is_given_up(batch, maker):
            await self._shop.clerk.ask(
                move_batch,
                batch,
                "finish",
                service_state=report.state,
                result_file=report.result_file,
                error=report.error,
                looks=0,
            )
            await self._fetch(batch, report, maker)
            return
        if batch.state == BatchState.RUNNING and await self._is_to_stop(batch):
            with contextlib.suppress(ProviderError):  # it is asked to stop again at the next look
                await maker.call_off(batch.service_name)
                await self._shop.clerk.ask(move_batch, batch, "stop", looks=0)
        await self._release(batch, wait=_gap(batch.looks), service_state=report.state, error="")

    async def _is_to_stop(self, batch: ProviderBatch) -> bool:
        """Past its deadline, or nobody waits for any of it."""
        late = _age(batch) > timedelta(hours=settings.BATCH_HOURS)
        return late or not await self._shop.clerk.ask(shelf.is_wanted, batch)

    def _is_given_up(self, batch: ProviderBatch, maker: BatchProvider) -> bool:
        """Whether the provider's own clock has run out, whatever it says of the state."""
        limits = maker.batch_limits
        return limits is not None and (
            _age(batch) > timedelta(hours=limits.expires_hours) + AFTER_EXPIRY
        )

    # Fetching

    async def _fetch(self, batch: ProviderBatch, report: BatchReport, maker: BatchProvider) -> None:
        try:
            await fetching.fetch(
                batch,
                report,
                maker=maker,
                shop=self._shop,
                is_stopping=self._is_stopping,
                on_ending=self._on_ending,
            )
        except fetching.Interrupted:
            await self._release(batch, wait=0.0, looks=batch.looks)
            return
        except ProviderError as error:
            if not self._is_given_up(batch, maker):
                await self._release(batch, wait=_gap(batch.looks), error=str(error))
                return
            report = _lost(report, error)
        await self._end_the_rest(batch, report)
        await self._shop.clerk.ask(shelf.close, batch)
        await _forget(batch, maker)

    async def _end_the_rest(self, batch: ProviderBatch, report: BatchReport) -> None:
        """What the results have no line for: made by nobody, or nobody knows."""
        last = 0
        while orders := await self._shop.clerk.ask(shelf.unanswered, batch, after=last):
            last = orders[-1].job_id
            for order in orders:
                if staging.path(order.staging_name).exists():
                    continue  # it came, and the storage did not take it: a sweep stores it
                ending = _rest(order, report)
                if await self._shop.clerk.write(ending):
                    self._on_ending(ending)

    async def _release(
        self, batch: ProviderBatch, *, wait: float, looks: int | None = None, **changes: str
    ) -> None:
        await self._shop.clerk.ask(
            shelf.release,
            batch,
            next_look_at=timezone.now() + timedelta(seconds=wait),
            looks=batch.looks + 1 if looks is None else looks,
            **changes,
        )


_DIED: Final = ServiceUnavailable("The worker died before it had handed the batch in.")
_FULL: Final = ServiceUnavailable("The batch was full, or the worker was told to stop.")


def _is_definite(error: ProviderError) -> bool:
    """Whether ``error`` says that no batch was made. A service that failed may have made one."""
    return not isinstance(error, OutcomeUnknown | ServiceUnavailable)


def _gap(looks: int) -> float:
    """Seconds until the next look, after ``looks`` of them."""
    return min(LONGEST_LOOK, FIRST_LOOK * GROWTH ** min(looks, 50))


def _age(batch: ProviderBatch) -> timedelta:
    return timezone.now() - (batch.submitted_at or batch.created_at)


def _report(batch: ProviderBatch) -> BatchReport:
    """What was known when the batch ended."""
    return BatchReport(
        name=batch.service_name,
        state=batch.service_state,
        is_final=True,
        is_gone=not batch.service_state,
        result_file=batch.result_file,
        error=batch.error,
    )


def _lost(report: BatchReport, error: ProviderError) -> BatchReport:
    return BatchReport(
        name=report.name, state=report.state, is_final=True, is_gone=True, error=str(error)
    )


def _rest(order: Order, report: BatchReport) -> Ending:
    if report.is_gone or report.state.endswith("SUCCEEDED"):
        return items.not_found(order)
    return items.not_made(order, said=report.error)


async def _forget(batch: ProviderBatch, maker: BatchProvider) -> None:
    """Delete the batch's files at the provider: they hold photos and words."""
    with contextlib.suppress(ProviderError):  # they expire by themselves
        await maker.forget(*filter(None, (batch.input_file, batch.result_file)))


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)

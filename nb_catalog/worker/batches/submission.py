"""Handing a batch in, once: on record before it goes out, looked up when that was cut off."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from nb_catalog.core import logs
from nb_catalog.exceptions import (
    InvalidTransition,
    NBCatalogError,
    OutcomeUnknown,
    ProviderError,
    ServiceUnavailable,
)
from nb_catalog.models import ProviderBatch
from nb_catalog.models.db.clock import known_now
from nb_catalog.models.transitions import transition_batch
from nb_catalog.providers.batches import BatchProvider
from nb_catalog.worker import outcomes
from nb_catalog.worker.batches import item_outcomes, queries, request_file, schedule
from nb_catalog.worker.batches.polling import delete_remote
from nb_catalog.worker.batches.seat import Seat
from nb_catalog.worker.types import ClaimedJob

logger = logging.getLogger(__name__)

DIED: Final = ServiceUnavailable("The worker died before it had handed the batch in.")
_FULL: Final = ServiceUnavailable("The batch was full, or the worker was told to stop.")


async def assemble(
    seat: Seat, batch: ProviderBatch, orders: Sequence[ClaimedJob], *, maker: BatchProvider
) -> None:
    """Write ``orders`` into a file, and hand it in."""
    limits = maker.batch_limits
    if limits is None:
        return
    path = request_file.path_of(batch.name)
    try:
        filled = await seat.shop.in_pool(
            request_file.write_requests,
            path,
            orders,
            maker=maker,
            most_bytes=limits.bytes,
            is_stopping=seat.is_stopping,
        )
        for order, problem in filled.problems:
            await seat.end(outcomes.outcome_for_never_sent(order, problem))
        for order in filled.left_over:
            await seat.shop.clerk.write(item_outcomes.not_sent(order, _FULL))
        if filled.written:
            await seat.ask(queries.record_photos, batch, filled.written)
            await _submit(seat, batch, path, maker, written=len(filled.written))
        else:
            await seat.ask(queries.close, batch)
    finally:
        await seat.shop.in_pool(request_file.remove, path)


async def _submit(
    seat: Seat, batch: ProviderBatch, path: Path, maker: BatchProvider, *, written: int
) -> None:
    try:
        file = await maker.upload(path, name=batch.name)
    except ProviderError as error:
        await close(seat, batch, error=error)
        return
    await seat.ask(transition_batch, batch, "send", input_file=file, items=written, looks=0)
    try:
        name = await maker.submit(file, model=batch.model, name=batch.name)
    except ProviderError as error:
        await look_up(seat, batch, maker, refused=error)
    else:
        await accept(seat, batch, name, maker)


async def accept(seat: Seat, batch: ProviderBatch, name: str, maker: BatchProvider) -> None:
    """The provider has the batch, by its own ``name`` for it. Raises ``InvalidTransition`` when we came
    too late; the batch is called off then."""
    now = known_now()
    try:
        await seat.ask(
            transition_batch,
            batch,
            "accept",
            service_name=name,
            submitted_at=now,
            looks=0,
            error="",
            error_code="",
        )
    except InvalidTransition:
        # We were thought dead, and the pictures have been queued again. This batch must not
        # make them too.
        logger.warning(
            "Batch %s was handed in too late and is called off.",
            batch.name,
            extra=logs.fields(batch=batch.name),
        )
        await maker.cancel(name)
        raise
    await seat.release(batch, wait=schedule.FIRST_LOOK)


async def look_up(
    seat: Seat, batch: ProviderBatch, maker: BatchProvider, *, refused: ProviderError | None = None
) -> None:
    """Find out whether a batch whose hand-in failed or was cut off is with the provider.

    Nothing is handed in again before the provider has said, more than once, that it is not.
    """
    try:
        names = await maker.find(batch.name)
    except ProviderError as error:
        await seat.release(batch, wait=schedule.GRACE, error=str(error), looks=batch.looks)
        return
    if names:
        for superfluous in names[1:]:
            await maker.cancel(superfluous)
        await accept(seat, batch, names[0], maker)
    elif refused is not None and _is_definite(refused):
        await close(seat, batch, error=refused, maker=maker)
    elif batch.looks + 1 >= schedule.MOST_LOOKUPS:
        await close(seat, batch, error=refused or DIED, maker=maker)
    else:
        await seat.release(batch, wait=schedule.GRACE, error=str(refused or DIED))


async def close(
    seat: Seat, batch: ProviderBatch, *, error: NBCatalogError, maker: BatchProvider | None = None
) -> None:
    """The batch does not go out: its pictures are queued again, free of charge."""
    await seat.ask(queries.close, batch, error=error)
    logger.warning(
        "Batch %s did not go out (%s).",
        batch.name,
        error.code,
        extra=logs.fields(batch=batch.name, error_code=error.code),
    )
    if maker is not None:
        await delete_remote(batch, maker)


def _is_definite(error: ProviderError) -> bool:
    """Whether ``error`` says that no batch was made. A service that failed may have made one."""
    return not isinstance(error, OutcomeUnknown | ServiceUnavailable)

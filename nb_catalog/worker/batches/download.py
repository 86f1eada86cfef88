"""A batch's results: read as they come, a few pictures at a time, each finished on its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Final

from nb_catalog.exceptions import NBCatalogError, StorageFailed
from nb_catalog.models import ProviderBatch
from nb_catalog.providers.batches import BatchProvider
from nb_catalog.providers.types import BatchItem, BatchReport
from nb_catalog.worker import results, spool
from nb_catalog.worker.batches import item_outcomes, queries
from nb_catalog.worker.execution import (
    WorkerContext,
    build_outcome,
    log_plugin_error,
    plugin_error,
    store_spooled,
)
from nb_catalog.worker.types import ClaimedJob, JobOutcome

logger = logging.getLogger(__name__)

# Lines whose orders are looked up together; what bounds the pictures in memory.
TOGETHER: Final = 16


class DownloadInterrupted(Exception):
    """In the middle of a file; the rest is fetched another time."""


async def fetch(
    batch: ProviderBatch,
    report: BatchReport,
    *,
    maker: BatchProvider,
    shop: WorkerContext,
    is_stopping: Callable[[], bool],
    on_ending: Callable[[JobOutcome], None],
) -> None:
    """Finish every item that ``report``'s file has an answer for. May be repeated at any time:
    what was finished before is passed over.

    Raises ``ProviderError`` when the file breaks off, ``DownloadInterrupted`` when the worker is stopping or
    what came can be put nowhere.
    """
    async for lines in _together(maker.collect(report)):
        if is_stopping():
            raise DownloadInterrupted
        orders = await shop.clerk.ask(queries.claimed_jobs, batch, list(lines))
        ended = await asyncio.gather(
            *(_finish(order, lines[key], maker=maker, shop=shop) for key, order in orders.items())
        )
        for ending in ended:
            if ending is not None:
                on_ending(ending)


async def _together(answers: AsyncIterator[BatchItem]) -> AsyncIterator[dict[str, BatchItem]]:
    """Items by key, ``TOGETHER`` at a time. A key that comes twice counts once."""
    block: dict[str, BatchItem] = {}
    async for item in answers:
        block.setdefault(item.key, item)
        if len(block) == TOGETHER:
            yield block
            block = {}
    if block:
        yield block


async def _finish(
    order: ClaimedJob, item: BatchItem, *, maker: BatchProvider, shop: WorkerContext
) -> JobOutcome | None:
    """Store what came and write down how the job ended; None when it was not owed any more, or
    when its picture waits in the staging directory because the storage did not take it."""
    ending = await _ending(order, item, maker=maker, shop=shop)
    if ending is None:
        return None
    held = await shop.clerk.write(ending)
    if ending.move != "lose":
        await shop.in_mailroom(spool.drop, order.staging_name)
    return ending if held else None


async def _ending(
    order: ClaimedJob, item: BatchItem, *, maker: BatchProvider, shop: WorkerContext
) -> JobOutcome | None:
    if isinstance(item.result, NBCatalogError):
        return item_outcomes.failed(order, item.result)
    try:
        # Staged for a crash, and kept in hand all the same: few are in hand at a time here.
        taken = await shop.in_mailroom(results.spool_result, order, item.result)
        if taken.data:
            return await store_spooled(order, taken, maker=maker, shop=shop)
        return await shop.in_pool(build_outcome, order, item.result, maker=maker)
    except StorageFailed as error:
        if not spool.path(order.staging_name).is_file():
            raise DownloadInterrupted from error  # it lies nowhere: the batch is fetched again
        return None  # staged: a sweep stores it
    except NBCatalogError as error:
        return item_outcomes.failed(order, error)
    except Exception as error:  # noqa: BLE001 - a provider is a plug-in and may raise anything
        log_plugin_error(maker, order)
        return item_outcomes.failed(order, plugin_error(error, order=order))

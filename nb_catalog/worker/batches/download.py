"""A batch's results: read as they come, a few pictures at a time, each finished on its own."""

from __future__ import annotations

import asyncio
from typing import Final

from nb_catalog.exceptions import NBCatalogError, StorageFailed
from nb_catalog.models import ProviderBatch
from nb_catalog.providers.batches import BatchProvider
from nb_catalog.providers.types import BatchItem, BatchReport
from nb_catalog.worker import outcomes, results, spool
from nb_catalog.worker.batches import queries
from nb_catalog.worker.execution import (
    WorkerContext,
    log_plugin_error,
    plugin_error,
    store_with_retry,
)
from nb_catalog.worker.types import ClaimedJob

# Lines whose jobs are read together; this bounds the pictures in memory.
BLOCK: Final = 16


class DownloadInterrupted(Exception):
    """In the middle of a file; the rest is fetched another time."""


async def fetch(
    batch: ProviderBatch, report: BatchReport, *, provider: BatchProvider, context: WorkerContext
) -> None:
    """Finish every item that ``report``'s file has a result for. May be repeated at any time:
    what was finished before is skipped.

    Raises ``ProviderError`` when the file breaks off, ``DownloadInterrupted`` when the worker is stopping
    or neither the disk nor the storage takes what came.
    """
    block: dict[str, BatchItem] = {}
    async for item in provider.collect(report):
        # A key that comes twice counts once.
        block.setdefault(item.key, item)
        if len(block) == BLOCK:
            await _finish_block(batch, block, provider=provider, context=context)
            block = {}
    if block:
        await _finish_block(batch, block, provider=provider, context=context)


async def _finish_block(
    batch: ProviderBatch,
    block: dict[str, BatchItem],
    *,
    provider: BatchProvider,
    context: WorkerContext,
) -> None:
    if context.is_stopping():
        raise DownloadInterrupted
    jobs = await context.writer.run_in_db(queries.claimed_jobs, batch, list(block))
    await asyncio.gather(
        *(_finish(job, block[key], provider=provider, context=context) for key, job in jobs.items())
    )


async def _finish(
    job: ClaimedJob, item: BatchItem, *, provider: BatchProvider, context: WorkerContext
) -> None:
    """Store and record one item. A picture that the storage did not take waits in the spool."""
    try:
        if isinstance(item.result, NBCatalogError):
            raise item.result
        # Spooled for a crash, and kept in memory all the same: a block has few items.
        spooled = await context.run_in_spool(results.spool_result, job, item.result)
        if spooled.data:
            outcome = await store_with_retry(job, spooled, provider=provider, context=context)
        else:
            outcome = await context.run_in_pool(
                results.store_result, job, item.result, provider=provider
            )
    except StorageFailed as error:
        if not spool.path(job.spool_name).is_file():
            raise DownloadInterrupted from error  # it is stored nowhere: the batch is fetched again
        return  # in the spool: a sweep stores it
    except NBCatalogError as error:
        outcome = outcomes.batch_item_failed(job, error)
    except Exception as error:  # noqa: BLE001 - a provider is a plug-in and may raise anything
        log_plugin_error(provider, job)
        outcome = outcomes.batch_item_failed(job, plugin_error(error, job=job))
    await context.record(outcome)
    if outcome.move != "lose":
        await context.run_in_spool(spool.drop, job.spool_name)

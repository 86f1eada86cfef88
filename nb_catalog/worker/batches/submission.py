"""Submits a batch once: on record before it goes out, looked up if that was interrupted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
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
from nb_catalog.worker import cutouts, outcomes
from nb_catalog.worker.batches import queries, request_file, schedule
from nb_catalog.worker.batches.polling import delete_remote
from nb_catalog.worker.execution import WorkerContext
from nb_catalog.worker.types import ClaimedJob

logger = logging.getLogger(__name__)

DIED: Final = ServiceUnavailable("The worker died before it had submitted the batch.")
_FULL: Final = ServiceUnavailable("The batch was full, or the worker is stopping.")


async def assemble(
    batch: ProviderBatch,
    jobs: Sequence[ClaimedJob],
    *,
    provider: BatchProvider,
    context: WorkerContext,
) -> None:
    """Write ``jobs`` into a file, and submit it."""
    limits = provider.batch_limits
    if limits is None:
        return
    run_in_db = context.writer.run_in_db
    path = request_file.path_of(batch.name)
    try:
        result = await context.run_in_pool(
            request_file.write_requests,
            path,
            jobs,
            provider=provider,
            most_bytes=limits.bytes,
            is_stopping=context.is_stopping,
        )
        looked_at = [*result.written, *(job for job, _ in result.problems)]
        for job in looked_at:
            if job.has_found:
                await run_in_db(cutouts.record_found, job)
        for job, problem in result.problems:
            await context.record(outcomes.outcome_for_never_sent(job, problem))
        for job in result.left_over:
            await context.writer.write(outcomes.batch_item_not_sent(job, _FULL))
        if not result.written:
            await run_in_db(queries.close, batch)
            return
        await run_in_db(queries.record_photos, batch, result.written)
        try:
            file = await provider.upload(path, name=batch.name)
        except ProviderError as error:
            await close(batch, error=error, context=context)
            return
        await run_in_db(
            transition_batch, batch, "send", input_file=file, items=len(result.written), looks=0
        )
        try:
            name = await provider.submit(file, model=batch.model, name=batch.name)
        except ProviderError as error:
            await look_up(batch, provider=provider, context=context, refused=error)
        else:
            await accept(batch, name, provider=provider, context=context)
    finally:
        await context.run_in_pool(request_file.remove, path)


async def accept(
    batch: ProviderBatch, name: str, *, provider: BatchProvider, context: WorkerContext
) -> None:
    """Record that the provider has the batch, by its own ``name`` for it.

    Raises ``InvalidTransition`` if that comes too late; the batch is then cancelled at the provider.
    """
    try:
        await context.writer.run_in_db(
            transition_batch,
            batch,
            "accept",
            service_name=name,
            submitted_at=known_now(),
            looks=0,
            error="",
            error_code="",
        )
    except InvalidTransition:
        # This worker was thought dead, and the pictures have been queued again. This batch must not
        # make them too.
        logger.warning(
            "Batch %s was submitted too late and is cancelled.",
            batch.name,
            extra=logs.fields(batch=batch.name),
        )
        await provider.cancel(name)
        raise
    await context.writer.run_in_db(queries.release, batch, wait=schedule.FIRST_WAIT)


async def look_up(
    batch: ProviderBatch,
    *,
    provider: BatchProvider,
    context: WorkerContext,
    refused: ProviderError | None = None,
) -> None:
    """Find out whether a batch whose submission failed or was interrupted is with the provider.

    Nothing is submitted again before the provider has reported, more than once, that it is not.
    """
    run_in_db = context.writer.run_in_db
    try:
        names = await provider.find(batch.name)
    except ProviderError as error:
        await run_in_db(
            queries.release, batch, wait=schedule.GRACE, error=str(error), looks=batch.looks
        )
        return
    # Only a service that failed may have accepted the batch all the same.
    is_definite = refused is not None and not isinstance(
        refused, OutcomeUnknown | ServiceUnavailable
    )
    if names:
        for superfluous in names[1:]:
            await provider.cancel(superfluous)
        await accept(batch, names[0], provider=provider, context=context)
    elif is_definite or batch.looks + 1 >= schedule.MOST_LOOKUPS:
        await close(batch, error=refused or DIED, context=context)
        await delete_remote(batch, provider=provider)
    else:
        await run_in_db(queries.release, batch, wait=schedule.GRACE, error=str(refused or DIED))


async def close(batch: ProviderBatch, *, error: NBCatalogError, context: WorkerContext) -> None:
    """Close a batch that does not go out: its pictures are queued again, free of charge."""
    await context.writer.run_in_db(queries.close, batch, error=error)
    logger.warning(
        "Batch %s did not go out (%s).",
        batch.name,
        error.code,
        extra=logs.fields(batch=batch.name, error_code=error.code),
    )

"""From a batch that is with the provider to pictures: polls, results, and items without a result."""

from __future__ import annotations

import contextlib

from nb_catalog.core.states import BatchState
from nb_catalog.exceptions import ProviderError
from nb_catalog.models import ProviderBatch
from nb_catalog.models.transitions import transition_batch
from nb_catalog.providers.batches import BatchProvider
from nb_catalog.providers.types import BatchReport
from nb_catalog.worker import outcomes, spool
from nb_catalog.worker.batches import download, queries, schedule
from nb_catalog.worker.execution import WorkerContext


async def poll(batch: ProviderBatch, *, provider: BatchProvider, context: WorkerContext) -> None:
    """Ask for the batch's state; fetch its results when it has ended, stop it when it is late."""
    run_in_db = context.writer.run_in_db
    has_expired = schedule.has_expired(batch, limits=provider.batch_limits)
    try:
        report = await provider.poll(batch.service_name)
    except ProviderError as error:
        if has_expired:
            # The provider was unreachable for as long as it keeps a batch: the results are unknown.
            await run_in_db(transition_batch, batch, "finish", error=str(error), looks=0)
            report = _lost(report_of(batch), error)
            await fetch(batch, report, provider=provider, context=context)
        else:
            wait = schedule.poll_interval(batch.looks)
            await run_in_db(queries.release, batch, wait=wait, error=str(error))
        return
    if report.is_final or has_expired:
        await run_in_db(
            transition_batch,
            batch,
            "finish",
            service_state=report.state,
            result_file=report.result_file,
            error=report.error,
            looks=0,
        )
        await fetch(batch, report, provider=provider, context=context)
        return
    if batch.state == BatchState.RUNNING and (
        schedule.is_late(batch) or not await run_in_db(queries.is_wanted, batch)
    ):
        with contextlib.suppress(ProviderError):  # the next poll tries again
            await provider.cancel(batch.service_name)
            await run_in_db(transition_batch, batch, "stop", looks=0)
    await run_in_db(
        queries.release,
        batch,
        wait=schedule.poll_interval(batch.looks),
        service_state=report.state,
        error="",
    )


async def fetch(
    batch: ProviderBatch, report: BatchReport, *, provider: BatchProvider, context: WorkerContext
) -> None:
    """Finish every picture that the results contain, then the items that they do not mention."""
    run_in_db = context.writer.run_in_db
    try:
        await download.fetch(batch, report, provider=provider, context=context)
    except download.DownloadInterrupted:
        await run_in_db(queries.release, batch, wait=0.0, looks=batch.looks)
        return
    except ProviderError as error:
        if not schedule.has_expired(batch, limits=provider.batch_limits):
            wait = schedule.poll_interval(batch.looks)
            await run_in_db(queries.release, batch, wait=wait, error=str(error))
            return
        report = _lost(report, error)
    await end_unanswered(batch, report, context=context)
    await run_in_db(queries.close, batch)
    await delete_remote(batch, provider=provider)


async def end_unanswered(
    batch: ProviderBatch, report: BatchReport, *, context: WorkerContext
) -> None:
    """End the items that the results have no line for."""
    is_unknown = report.is_gone or report.state.endswith("_STATE_SUCCEEDED")
    stopped = report.problem if report.problem and report.problem.needs_person else None
    last = 0
    while jobs := await context.writer.run_in_db(queries.unanswered, batch, after=last):
        last = jobs[-1].job_id
        for job in jobs:
            if spool.path(job.spool_name).exists():
                continue  # it came, and the storage did not take it: a sweep stores it
            await context.record(
                outcomes.batch_item_missing(job)
                if is_unknown
                else outcomes.batch_item_failed(job, stopped)
                if stopped
                else outcomes.batch_item_not_processed(job, message=report.error)
            )


def report_of(batch: ProviderBatch) -> BatchReport:
    """Return what was known when the batch ended."""
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


async def delete_remote(batch: ProviderBatch, *, provider: BatchProvider) -> None:
    """Delete the batch's files at the provider: they contain photos and texts."""
    with contextlib.suppress(ProviderError):  # they expire automatically
        await provider.delete_files(*filter(None, (batch.input_file, batch.result_file)))

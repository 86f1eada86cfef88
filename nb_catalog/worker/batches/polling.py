"""From a batch that is with the provider to pictures: looks, results, and what has none."""

from __future__ import annotations

import contextlib

from nb_catalog.core.states import BatchState
from nb_catalog.exceptions import ProviderError
from nb_catalog.models import ProviderBatch
from nb_catalog.models.transitions import transition_batch
from nb_catalog.providers.batches import BatchProvider
from nb_catalog.providers.types import BatchReport
from nb_catalog.worker import spool
from nb_catalog.worker.batches import download, item_outcomes, queries, schedule
from nb_catalog.worker.batches.seat import Seat
from nb_catalog.worker.types import ClaimedJob, JobOutcome


async def poll(seat: Seat, batch: ProviderBatch, maker: BatchProvider) -> None:
    """Ask how the batch stands; fetch its results when it is at its end, stop it when it is late."""
    try:
        report = await maker.poll(batch.service_name)
    except ProviderError as error:
        if schedule.is_given_up(batch, limits=maker.batch_limits):
            await fetch(seat, batch, await _given_up(seat, batch, error), maker)
            return
        await seat.release(batch, wait=schedule.gap(batch.looks), error=str(error))
        return
    if report.is_final or schedule.is_given_up(batch, limits=maker.batch_limits):
        await seat.ask(
            transition_batch,
            batch,
            "finish",
            service_state=report.state,
            result_file=report.result_file,
            error=report.error,
            looks=0,
        )
        await fetch(seat, batch, report, maker)
        return
    if batch.state == BatchState.RUNNING and await _is_to_stop(seat, batch):
        with contextlib.suppress(ProviderError):  # it is asked to stop again at the next look
            await maker.cancel(batch.service_name)
            await seat.ask(transition_batch, batch, "stop", looks=0)
    await seat.release(batch, wait=schedule.gap(batch.looks), service_state=report.state, error="")


async def _given_up(seat: Seat, batch: ProviderBatch, error: ProviderError) -> BatchReport:
    """Nobody could be asked for as long as the provider keeps a batch: what it made is unknown."""
    await seat.ask(transition_batch, batch, "finish", error=str(error), looks=0)
    return _lost(report_of(batch), error)


async def _is_to_stop(seat: Seat, batch: ProviderBatch) -> bool:
    """Past its deadline, or nobody waits for any of it."""
    return schedule.is_late(batch) or not await seat.ask(queries.is_wanted, batch)


async def fetch(
    seat: Seat, batch: ProviderBatch, report: BatchReport, maker: BatchProvider
) -> None:
    """Finish every picture that the results hold, then what they say nothing about."""
    try:
        await download.fetch(
            batch,
            report,
            maker=maker,
            shop=seat.shop,
            is_stopping=seat.is_stopping,
            on_ending=seat.on_ending,
        )
    except download.DownloadInterrupted:
        await seat.release(batch, wait=0.0, looks=batch.looks)
        return
    except ProviderError as error:
        if not schedule.is_given_up(batch, limits=maker.batch_limits):
            await seat.release(batch, wait=schedule.gap(batch.looks), error=str(error))
            return
        report = _lost(report, error)
    await end_the_rest(seat, batch, report)
    await seat.ask(queries.close, batch)
    await delete_remote(batch, maker)


async def end_the_rest(seat: Seat, batch: ProviderBatch, report: BatchReport) -> None:
    """What the results have no line for: made by nobody, or nobody knows."""
    last = 0
    while orders := await seat.ask(queries.unanswered, batch, after=last):
        last = orders[-1].job_id
        for order in orders:
            if spool.path(order.staging_name).exists():
                continue  # it came, and the storage did not take it: a sweep stores it
            await seat.end(_rest(order, report))


def report_of(batch: ProviderBatch) -> BatchReport:
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


def _rest(order: ClaimedJob, report: BatchReport) -> JobOutcome:
    if report.is_gone or report.state.endswith("_STATE_SUCCEEDED"):
        return item_outcomes.not_found(order)
    return item_outcomes.not_made(order, said=report.error)


async def delete_remote(batch: ProviderBatch, maker: BatchProvider) -> None:
    """Delete the batch's files at the provider: they hold photos and words."""
    with contextlib.suppress(ProviderError):  # they expire by themselves
        await maker.delete_files(*filter(None, (batch.input_file, batch.result_file)))

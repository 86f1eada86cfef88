"""One order from its photo to its picture. Coroutines here wait; threads do the work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from nb_catalog import ratelimit
from nb_catalog.conf import settings
from nb_catalog.core import logs, tracing
from nb_catalog.exceptions import (
    InvalidSettings,
    NBCatalogError,
    NotSent,
    OutcomeUnknown,
    RequestRejected,
    StorageFailed,
)
from nb_catalog.providers import Provider, provider
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse
from nb_catalog.worker import claims, outcomes, results, spool
from nb_catalog.worker.db_writer import GroupCommitWriter
from nb_catalog.worker.references import references_for
from nb_catalog.worker.types import ClaimedJob, JobOutcome

logger = logging.getLogger(__name__)

T = TypeVar("T")

# By how much a call may miss its slot: what the throttle allows, less the way to the service.
LATE: Final = ratelimit.JITTER.total_seconds() * 0.8


# How often a picture that lies nowhere is offered to the disk and the storage again.
AGAIN_SECONDS: Final = 2.0


@dataclass(slots=True)
class WorkerContext:
    """What all orders of a worker share: the clerk, threads, a client per provider.

    Answers go through the ``mailroom`` as they arrive, so that what is paid is on disk at once;
    in the ``pool`` photos are read and pictures are checked and composed, in their turn.

    ``lines`` bounds the calls in flight. More orders than that are in hand, so that reading
    photos, checking pictures and waiting for commits leave no line idle.
    """

    clerk: GroupCommitWriter
    pool: Executor
    mailroom: Executor
    lines: asyncio.Semaphore
    closing: bool = False
    providers: dict[str, Provider] = field(default_factory=dict)

    def provider(self, alias: str) -> Provider:
        if alias not in self.providers:
            self.providers[alias] = provider(alias)
        return self.providers[alias]

    async def in_pool(self, do: Callable[..., T], *args: Any, **options: Any) -> T:
        return await _in(self.pool, do, *args, **options)

    async def in_mailroom(self, do: Callable[..., T], *args: Any, **options: Any) -> T:
        return await _in(self.mailroom, do, *args, **options)

    async def close(self) -> None:
        for each in self.providers.values():
            await each.close()


async def _in(threads: Executor, do: Callable[..., T], *args: Any, **options: Any) -> T:
    # With the context, so that a span there is below the job's.
    context = copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, lambda: context.run(do, *args, **options))


async def process(order: ClaimedJob, *, shop: WorkerContext) -> JobOutcome | None:
    """Carry ``order`` out and write down how it ended.

    None when it was not ours any more, when the budget said no, or when the picture waits in
    the staging directory because the storage did not take it.
    """
    with tracing.span("job", **order.labels) as told:
        ending = await _carry_out(order, shop=shop)
        if ending is None:
            return None
        told["move"] = ending.move
        if ending.error_code:
            told["error_code"] = ending.error_code
        held = await shop.clerk.write(ending)
    if not order.is_free and ending.move != "lose":
        # What broke after the answer had come leaves its bytes to the next sweep.
        await shop.in_mailroom(spool.drop, order.staging_name)
    return ending if held else None


async def _carry_out(order: ClaimedJob, *, shop: WorkerContext) -> JobOutcome | None:
    try:
        maker = shop.provider(order.spec.provider)
    except Exception as error:  # noqa: BLE001 - settings that changed, or a plug-in's constructor
        logger.exception(
            "Provider %s cannot be used for job %s.",
            order.spec.provider,
            order.job_id,
            extra=logs.fields(**order.labels),
        )
        said = str(error) if isinstance(error, InvalidSettings) else plugin_error_text(error)
        return outcomes.outcome_for_not_begun(order, RequestRejected(said))
    try:
        called = await _call(order, maker=maker, shop=shop)
        if not isinstance(called, tuple):
            return called
        return await store_spooled(*called, maker=maker, shop=shop)
    except StorageFailed as error:
        # What was paid for is staged: the lease runs out and a sweep stores it.
        return outcomes.outcome_for_error(order, error) if order.is_free else None
    except NBCatalogError as error:
        return outcomes.outcome_for_error(order, error)
    except Exception as error:  # noqa: BLE001 - a provider is a plug-in and may raise anything
        log_plugin_error(maker, order)
        return outcomes.outcome_for_error(order, plugin_error(error, order=order))


async def store_spooled(
    order: ClaimedJob, result: ImageResult, *, maker: Provider, shop: WorkerContext
) -> JobOutcome:
    """The ending of ``order`` with the picture that came. Raises what ``keeping.keep`` does.

    A picture that neither the staging directory nor the storage takes, on a full disk say, is offered to
    both again and again: it is paid for, and in memory alone. Its lease is renewed meanwhile.
    """
    while True:
        try:
            return await shop.in_pool(build_outcome, order, result, maker=maker)
        except StorageFailed:
            if order.is_free or not result.data or shop.closing:
                raise
        await asyncio.sleep(AGAIN_SECONDS)
        result = await shop.in_mailroom(results.spool_result, order, result, again=True)


async def _call(
    order: ClaimedJob, *, maker: Provider, shop: WorkerContext
) -> tuple[ClaimedJob, ImageResult] | JobOutcome | None:
    """The order as it went out and what the provider made, or how it ended without a call.

    A function of its own, so that a photo on its way out and an answer on its way in are let
    go before the picture waits for its turn to be checked.
    """
    prepared = await _prepared(order, maker=maker, shop=shop)
    if isinstance(prepared, JobOutcome):
        return prepared
    order, payload = prepared
    # Not on a line: others can use it meanwhile.
    await _slot_of(order)
    async with shop.lines if not order.is_free else contextlib.nullcontext():
        # On a line, not before: a job that is said to be calling really is.
        in_time = None if shop.closing else await _in_time(order, shop=shop)
        if in_time is None:
            await shop.clerk.ask(claims.hand_back, [order])
            return None
        if not await shop.clerk.write(order):
            return None
        if _is_late(in_time):
            raise NotSent("The database took so long that the call's turn was over.")
        # Parsed on the loop, a millisecond or so: in a thread of its own the C library would give
        # these megabytes back to the system and fetch them again, at three times the CPU.
        result = maker.parse(await _answer(payload, maker=maker))
        return order, await shop.in_mailroom(results.spool_result, order, result)


async def _slot_of(order: ClaimedJob) -> None:
    """Wait for the slot of ``order``."""
    if order.goes_at is not None:
        await asyncio.sleep(max(0.0, order.goes_at - time.monotonic()))


async def _in_time(order: ClaimedJob, *, shop: WorkerContext) -> ClaimedJob | None:
    """``order`` in its slot, or in another one when it waited too long for a line; None when there
    is no other in sight."""
    while _is_late(order):
        found = await shop.clerk.ask(claims.another_slot, order)
        if found is None:
            return None
        order = found
        await _slot_of(order)
    return order


def _is_late(order: ClaimedJob) -> bool:
    return order.goes_at is not None and time.monotonic() - order.goes_at > LATE


async def _prepared(
    order: ClaimedJob, *, maker: Provider, shop: WorkerContext
) -> tuple[ClaimedJob, Payload] | JobOutcome:
    try:
        if order.problem is not None:
            raise order.problem
        return await shop.in_pool(build_payload, order, maker=maker)
    except NBCatalogError as error:
        return outcomes.outcome_for_not_begun(order, error)
    except Exception as error:  # noqa: BLE001 - a provider is a plug-in and may raise anything
        log_plugin_error(maker, order)
        return outcomes.outcome_for_not_begun(order, RequestRejected(plugin_error_text(error)))


def log_plugin_error(maker: Provider, order: ClaimedJob) -> None:
    """Call it where the error is handled."""
    logger.exception(
        "Provider %s broke on job %s.",
        maker.alias,
        order.job_id,
        extra=logs.fields(**order.labels),
    )


def plugin_error_text(error: Exception) -> str:
    """What is said of a plug-in's own fault."""
    return f"The provider's own code broke with {type(error).__name__}."


def plugin_error(error: Exception, *, order: ClaimedJob) -> OutcomeUnknown:
    """A fault of a plug-in after the call may have gone out."""
    said = plugin_error_text(error)
    return OutcomeUnknown(said if order.is_free else f"{said} The picture may have been charged.")


async def _answer(payload: Payload, *, maker: Provider) -> RawResponse:
    try:
        async with asyncio.timeout(settings.CALL_SECONDS):
            with tracing.span("call", provider=maker.alias, model=payload.model):
                return await maker.send(payload)
    except TimeoutError as error:
        raise OutcomeUnknown(
            f"No answer within {settings.CALL_SECONDS:.0f} s. The picture may have been charged."
        ) from error


def build_outcome(order: ClaimedJob, received: ImageResult, *, maker: Provider) -> JobOutcome:
    """The ending of ``order`` with the picture that came. Raises what ``keeping.keep`` does."""
    with tracing.span("keep", job=order.job_id):
        result = results.load_spooled(order, received)
        return outcomes.outcome_for_result(
            order, results.store_result(order, result, provider=maker), received
        )


def build_payload(order: ClaimedJob, *, maker: Provider) -> tuple[ClaimedJob, Payload]:
    """The vendor's request for ``order``, with its photos read, and the order with what was done
    to them. Raises ``NBCatalogError``."""
    told, references = references_for(order, maker=maker)
    return told, maker.build(ImageRequest.from_spec(order.spec, references))

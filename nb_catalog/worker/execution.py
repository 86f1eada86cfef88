"""One job from its photo to its picture, or to its texts. Coroutines here wait; threads do the work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from nb_catalog import providers, ratelimit
from nb_catalog.conf import settings
from nb_catalog.core import logs, tracing
from nb_catalog.exceptions import (
    InvalidSettings,
    NBCatalogError,
    NotSent,
    OutcomeUnknown,
    RequestRefused,
    RequestRejected,
    StorageFailed,
)
from nb_catalog.providers import Provider
from nb_catalog.providers.text_base import TextProvider, TextResult
from nb_catalog.providers.texts import provider_for
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload
from nb_catalog.worker import claims, cutouts, outcomes, results, spool, texts
from nb_catalog.worker.db_writer import GroupCommitWriter
from nb_catalog.worker.references import references_for
from nb_catalog.worker.types import ClaimedJob, JobOutcome

logger = logging.getLogger(__name__)

T = TypeVar("T")
AnyProvider: TypeAlias = Provider | TextProvider[Any]

# By how many seconds a call may miss its slot: what the rate limit allows, less the way to the service.
LATE: Final = ratelimit.JITTER.total_seconds() * 0.8
# How long until a picture that neither the disk nor the storage took is offered to both again.
AGAIN_SECONDS: Final = 2.0


@dataclass(slots=True, kw_only=True)
class WorkerContext:
    """What all jobs and batches of a worker share: the DB writer, threads, a client per provider.

    Results go through the ``spool_executor`` as they arrive, so that what is paid is on disk at once;
    in the ``pool`` photos are read and pictures are checked and composed, in their turn.

    ``call_semaphore`` bounds the calls in flight. The worker holds more jobs than that, so that reading
    photos, checking pictures and waiting for commits leave no call slot idle.

    ``is_stopping`` returns whether the worker is stopping; ``closing`` is True once it has stopped claiming.
    ``on_outcome`` is called with outcomes of batches that were written.
    """

    writer: GroupCommitWriter
    pool: Executor
    spool_executor: Executor
    call_semaphore: asyncio.Semaphore
    is_stopping: Callable[[], bool]
    on_outcome: Callable[[JobOutcome], None]
    closing: bool = False
    providers: dict[str, Provider] = field(default_factory=dict)
    text_providers: dict[str, TextProvider[Any]] = field(default_factory=dict)

    def provider(self, alias: str) -> Provider:
        if alias not in self.providers:
            self.providers[alias] = providers.provider(alias)
        return self.providers[alias]

    def provider_of(self, job: ClaimedJob) -> Provider | TextProvider[Any]:
        """Return the provider that ``job`` is sent to. Raises what its constructor does."""
        if not job.requests_texts:
            return self.provider(job.spec.provider)
        kind = job.text_spec.kind
        if kind not in self.text_providers:
            self.text_providers[kind] = provider_for(kind)
        return self.text_providers[kind]

    async def run_in_pool(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        return await _run_in(self.pool, function, *args, **options)

    async def run_in_spool(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        return await _run_in(self.spool_executor, function, *args, **options)

    async def record(self, outcome: JobOutcome) -> None:
        """Write ``outcome``, and report it if the job was still ours."""
        if await self.writer.write(outcome):
            self.on_outcome(outcome)

    async def close(self) -> None:
        used: list[AnyProvider] = [*self.providers.values(), *self.text_providers.values()]
        for provider in used:
            await provider.close()


async def _run_in(executor: Executor, function: Callable[..., T], *args: Any, **options: Any) -> T:
    # With the context variables, so that a span there is below the job's.
    variables = copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(executor, lambda: variables.run(function, *args, **options))


async def process(job: ClaimedJob, *, context: WorkerContext) -> JobOutcome | None:
    """Execute ``job`` and write its outcome.

    Returns None if the job was not ours any more, if a budget stopped it, or if the picture waits in
    the spool because the storage did not take it.
    """
    with tracing.span("job", **job.labels) as attributes:
        outcome = await _execute(job, context=context)
        if outcome is None:
            return None
        attributes["move"] = outcome.move
        if outcome.error_code:
            attributes["error_code"] = outcome.error_code
        is_ours = await context.writer.write(outcome)
    if not job.is_free and outcome.move != "lose":
        # What broke after the response had come leaves its bytes to the next sweep.
        await context.run_in_spool(spool.drop, job.spool_name)
    return outcome if is_ours else None


async def _execute(job: ClaimedJob, *, context: WorkerContext) -> JobOutcome | None:
    try:
        provider = context.provider_of(job)
    except Exception as error:  # noqa: BLE001 - settings that changed, or a plug-in's constructor
        logger.exception(
            "Provider %s cannot be used for job %s.",
            job.spec.provider,
            job.job_id,
            extra=logs.fields(**job.labels),
        )
        known = isinstance(error, InvalidSettings | RequestRefused)
        message = str(error) if known else plugin_error_text(error)
        return outcomes.outcome_for_not_begun(job, RequestRejected(message))
    try:
        called = await _call(job, provider=provider, context=context)
        if not isinstance(called, tuple):
            return called
        return await store_with_retry(*called, provider=provider, context=context)
    except StorageFailed as error:
        # What was paid for is in the spool: the lease runs out and a sweep stores it.
        return outcomes.outcome_for_error(job, error) if job.is_free else None
    except NBCatalogError as error:
        return outcomes.outcome_for_error(job, error)
    except Exception as error:  # noqa: BLE001 - a provider is a plug-in and may raise anything
        log_plugin_error(provider, job)
        return outcomes.outcome_for_error(job, plugin_error(error, job=job))


async def store_with_retry(
    job: ClaimedJob, result: ImageResult, *, provider: AnyProvider, context: WorkerContext
) -> JobOutcome:
    """Store ``result`` and return the outcome. Raises what ``results.store_result`` does.

    A picture that neither the spool nor the storage takes, on a full disk say, is offered to both
    again and again: it is paid for, and in memory only. Its lease is renewed meanwhile.
    """
    while True:
        try:
            return await context.run_in_pool(results.store_result, job, result, provider=provider)
        except StorageFailed:
            if job.is_free or not result.data or context.closing:
                raise
        await asyncio.sleep(AGAIN_SECONDS)
        result = await context.run_in_spool(results.spool_result, job, result, again=True)


async def _call(
    job: ClaimedJob, *, provider: AnyProvider, context: WorkerContext
) -> tuple[ClaimedJob, ImageResult] | JobOutcome | None:
    """Return the job as it went out and the provider's result, or its outcome if no call was made.

    A function of its own, so that the photo sent and the response are released before the
    picture waits for its turn to be checked.
    """
    try:
        if job.problem is not None:
            raise job.problem
        job, payload = await context.run_in_pool(build_payload, job, provider=provider)
        if job.has_found:
            job = await context.writer.run_in_db(cutouts.record_found, job)
        if payload is None:
            raise job.problem or RequestRejected("There is nothing to send.")
        await provider.open()
    except NBCatalogError as error:
        return outcomes.outcome_for_not_begun(job, error)
    except Exception as error:  # noqa: BLE001 - a provider is a plug-in and may raise anything
        log_plugin_error(provider, job)
        return outcomes.outcome_for_not_begun(job, RequestRejected(plugin_error_text(error)))
    # Before the semaphore: others can use it meanwhile.
    await _wait_for_slot(job)
    async with context.call_semaphore if not job.is_free else contextlib.nullcontext():
        # Inside it, not before: a job whose state is "calling" really is.
        in_time = None if context.closing else await find_slot(job, context=context)
        if in_time is None:
            await context.writer.run_in_db(claims.hand_back, [job])
            return None
        if not await context.writer.write(job):
            return None
        if _is_late(in_time):
            raise NotSent("The database took so long that the call missed its slot.")
        try:
            async with asyncio.timeout(settings.CALL_SECONDS):
                with tracing.span("call", provider=provider.alias, model=payload.model):
                    response = await provider.send(payload)
        except TimeoutError as error:
            raise OutcomeUnknown(
                f"No response within {settings.CALL_SECONDS:.0f} s. It may have been charged."
            ) from error
        # Parsed on the loop, a millisecond or so: in a thread of its own the C library would give
        # these megabytes back to the system and fetch them again, at three times the CPU.
        parsed = provider.parse(response)
        result = texts.pack(parsed) if isinstance(parsed, TextResult) else parsed
        return job, await context.run_in_spool(results.spool_result, job, result)


async def _wait_for_slot(job: ClaimedJob) -> None:
    if job.goes_at is not None:
        await asyncio.sleep(max(0.0, job.goes_at - time.monotonic()))


async def find_slot(job: ClaimedJob, *, context: WorkerContext) -> ClaimedJob | None:
    """Return ``job`` in its slot, or in another one if it waited too long for the semaphore; None if
    no other is in sight."""
    while _is_late(job):
        moved = await context.writer.run_in_db(claims.another_slot, job)
        if moved is None:
            return None
        job = moved
        await _wait_for_slot(job)
    return job


def _is_late(job: ClaimedJob) -> bool:
    return job.goes_at is not None and time.monotonic() - job.goes_at > LATE


def log_plugin_error(provider: AnyProvider, job: ClaimedJob) -> None:
    """Log the exception that is being handled."""
    logger.exception(
        "Provider %s broke on job %s.",
        provider.alias,
        job.job_id,
        extra=logs.fields(**job.labels),
    )


def plugin_error_text(error: Exception) -> str:
    """Return the message for an error in a plug-in's own code."""
    return f"The provider's own code broke with {type(error).__name__}."


def plugin_error(error: Exception, *, job: ClaimedJob) -> OutcomeUnknown:
    """Return the error for a fault of a plug-in after the call may have gone out."""
    message = plugin_error_text(error)
    return OutcomeUnknown(message if job.is_free else f"{message} It may have been charged.")


def build_payload(job: ClaimedJob, *, provider: AnyProvider) -> tuple[ClaimedJob, Payload | None]:
    """Return ``job`` with what was done to its photo, and the vendor's request with the photos read.

    The request is None if the job has a ``problem``: the product cannot be cut out. What was ``found`` in
    the photo has to be recorded in both cases. Raises ``NBCatalogError``.
    """
    if isinstance(provider, TextProvider):
        return job, texts.build_payload(job, provider=provider)
    job, references = references_for(job, provider=provider)
    if job.problem is not None:
        return job, None
    return job, provider.build(ImageRequest.from_spec(job.image_spec, references))

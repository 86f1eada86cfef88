"""Which transition a result or an error leads to, what it costs, and when to try again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from nb_catalog import ratelimit
from nb_catalog.conf import settings
from nb_catalog.core.text import strip_unstorable
from nb_catalog.exceptions import (
    Billed,
    ContentRefused,
    InvalidSettings,
    NBCatalogError,
    NoCredentials,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    RequestRefused,
    ServiceUnavailable,
)
from nb_catalog.models.db.clock import known_now
from nb_catalog.models.db.money import micros
from nb_catalog.providers.model_specs import spec_for
from nb_catalog.providers.texts import provider_for
from nb_catalog.providers.types import ImageResult
from nb_catalog.worker.types import ClaimedJob, JobOutcome, StoredImage, TextContent

SHORTEST_WAIT: Final = 2.0
LONGEST_WAIT: Final = 300.0


def outcome_for_result(
    job: ClaimedJob,
    images: tuple[StoredImage, ...],
    result: ImageResult,
    *,
    problem: NBCatalogError | None = None,
) -> JobOutcome:
    """Return the outcome of a call that returned a picture.

    ``problem`` says why ``images`` are not the picture that was requested: the job fails, and what was
    paid for is kept.
    """
    return JobOutcome(
        job=job,
        move="succeed" if problem is None else "fail",
        images=images,
        error_code="" if problem is None else problem.code,
        error="" if problem is None else strip_unstorable(str(problem)),
        cost_microusd=_cost(job, result.usage, has_picture=True),
        usage=result.usage,
        model_version=strip_unstorable(result.model_version),
        request_id=strip_unstorable(result.request_id),
        finished_at=known_now(),
    )


def outcome_for_texts(job: ClaimedJob, texts: TextContent, result: ImageResult) -> JobOutcome:
    """Return the outcome of a request whose result are ``texts``. Those that cannot be used are its error."""
    outcome = outcome_for_result(job, (), result)
    return replace(outcome, texts=texts, error=strip_unstorable(" ".join(texts.refused)))


def outcome_for_not_begun(job: ClaimedJob, error: NBCatalogError) -> JobOutcome:
    """Return the outcome of a job for which nothing was sent and nothing will be."""
    return JobOutcome(
        job=job, move="give_up", error_code=error.code, error=strip_unstorable(str(error))
    )


def outcome_for_never_sent(job: ClaimedJob, error: NBCatalogError) -> JobOutcome:
    """Return the outcome of a job of a batch that could not be written into the request file."""
    return replace(outcome_for_not_begun(job, error), move="fail", cost_microusd=0, was_sent=False)


def outcome_for_error(job: ClaimedJob, error: NBCatalogError) -> JobOutcome:
    """Return the outcome of a call that went out and ended with ``error``."""
    move, not_before = _transition_for(job, error)
    stops = ratelimit.backoff_for(error) is not None
    details: dict[str, Any] = {}
    if isinstance(error, ProviderError):
        details = {
            "usage": error.usage,
            "model_version": strip_unstorable(error.model_version),
            "request_id": strip_unstorable(error.request_id),
            "backoff": error if stops or ratelimit.is_overload(error) else None,
        }
        if job.is_free or error.billed == Billed.NO:
            details["cost_microusd"] = 0
        elif error.usage:
            details["cost_microusd"] = _cost(job, error.usage)
    return JobOutcome(
        job=job,
        move=move,
        error_code=error.code,
        error=strip_unstorable(str(error)),
        not_before=not_before,
        # What stops every call is not this job's fault.
        uses_attempt=move != "defer" or not stops,
        finished_at=known_now(),
        was_sent=not isinstance(error, NotSent | NoCredentials),
        **details,
    )


def _transition_for(job: ClaimedJob, error: NBCatalogError) -> tuple[str, datetime | None]:
    """Return the transition, and when to try again."""
    if isinstance(error, OutcomeUnknown) and not job.is_free:
        return "lose", None
    if isinstance(error, ContentRefused):
        return "refuse", None
    may_retry = error.retryable or job.is_free and isinstance(error, ProviderError)
    stops = error.retryable and ratelimit.backoff_for(error) is not None
    if not stops and not (may_retry and job.attempts < settings.MAX_ATTEMPTS):
        return "fail", None
    # At least what the provider asked for, otherwise 2 s doubled with every attempt, jittered.
    backoff = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** (job.attempts - 1))
    jittered = backoff * random.uniform(1.0, 1.5)  # noqa: S311 - spreads retries, hides nothing
    wait = max(getattr(error, "retry_after", None) or 0.0, jittered)
    return "defer", known_now() + timedelta(seconds=wait)


def _cost(job: ClaimedJob, usage: Mapping[str, int], *, has_picture: bool = False) -> int | None:
    if job.is_free:
        return 0
    try:
        if job.requests_texts:
            cost = provider_for(job.text_spec.kind).cost(usage)
        else:
            spec = job.image_spec
            size = spec.size if has_picture else ""
            cost = spec_for(spec.model).settle(usage, size=size, batch=job.in_batch)
    except (RequestRefused, InvalidSettings):
        # The model or the provider was removed from the settings after the call.
        return None
    return None if cost is None else micros(cost)


def batch_item_failed(job: ClaimedJob, error: NBCatalogError) -> JobOutcome:
    """Return the outcome of an item whose result is not a picture. A retry goes into another batch."""
    outcome = outcome_for_error(job, error)
    # The account's faults are everybody's; the limits of one item say nothing about direct calls.
    stops = isinstance(error, ProviderError) and error.needs_person
    move = outcome.move
    if move == "defer":
        move = "return_from_batch" if stops or job.attempts < settings.MAX_ATTEMPTS else "fail"
    backoff = outcome.backoff if stops else None
    return replace(outcome, move=move, not_before=None, backoff=backoff, uses_attempt=not stops)


def batch_item_not_sent(job: ClaimedJob, error: NBCatalogError) -> JobOutcome:
    """Return the outcome of a job whose batch did not go out: queued again, free of charge."""
    return replace(outcome_for_never_sent(job, error), move="return_from_batch", uses_attempt=False)


def batch_item_not_processed(job: ClaimedJob, *, message: str) -> JobOutcome:
    """Return the outcome of an item that the provider had not reached when the batch ended: it is not
    charged."""
    return batch_item_failed(
        job, ServiceUnavailable(f"The batch ended without this picture. {message}".strip())
    )


def batch_item_missing(job: ClaimedJob) -> JobOutcome:
    """Return the outcome of an item that the results of a successful batch do not mention."""
    return batch_item_failed(
        job,
        OutcomeUnknown(
            "The provider reports that the batch succeeded, but its results have no line for this "
            "picture. It may have been charged: check the provider's bill before you retry."
        ),
    )

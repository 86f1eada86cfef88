"""Which move an error makes, what it costs, and when to try again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from nb_catalog import ratelimit
from nb_catalog.conf import settings
from nb_catalog.core.text import strip_unstorable
from nb_catalog.exceptions import (
    Billed,
    ContentRefused,
    NBCatalogError,
    NoCredentials,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    RequestRefused,
)
from nb_catalog.models.db.clock import known_now
from nb_catalog.models.db.money import micros
from nb_catalog.providers.model_specs import spec_for
from nb_catalog.providers.types import ImageResult
from nb_catalog.worker.types import ClaimedJob, JobOutcome, StoredResult

SHORTEST_WAIT: Final = 2.0
LONGEST_WAIT: Final = 300.0


def outcome_for_result(order: ClaimedJob, kept: StoredResult, result: ImageResult) -> JobOutcome:
    """The answer was a picture; ``kept.problem`` makes it a failure that is paid for and kept."""
    problem = kept.problem
    return JobOutcome(
        order=order,
        move="succeed" if problem is None else "fail",
        images=kept.images,
        error_code="" if problem is None else problem.code,
        error="" if problem is None else strip_unstorable(str(problem)),
        cost_microusd=_cost(order, result.usage, size=order.spec.size),
        usage=result.usage,
        model_version=strip_unstorable(result.model_version),
        request_id=strip_unstorable(result.request_id),
        finished_at=known_now(),
    )


def outcome_for_not_begun(order: ClaimedJob, error: NBCatalogError) -> JobOutcome:
    """Nothing was sent and nothing will be."""
    return JobOutcome(
        order=order, move="give_up", error_code=error.code, error=strip_unstorable(str(error))
    )


def outcome_for_never_sent(order: ClaimedJob, error: NBCatalogError) -> JobOutcome:
    """The order was part of a batch and could not be written into it: nothing was sent for it."""
    return JobOutcome(
        order=order,
        move="fail",
        error_code=error.code,
        error=strip_unstorable(str(error)),
        cost_microusd=0,
        was_sent=False,
    )


def outcome_for_error(order: ClaimedJob, error: NBCatalogError) -> JobOutcome:
    """The call went out, and this is what came of it."""
    move, not_before = _move(order, error)
    stops = ratelimit.active_pause(error) is not None
    concerns_all = stops or ratelimit.is_overload(error)
    said: dict[str, Any] = {}
    if isinstance(error, ProviderError):
        said = {
            "usage": error.usage,
            "model_version": strip_unstorable(error.model_version),
            "request_id": strip_unstorable(error.request_id),
            "cost_microusd": _cost_of_failure(order, error),
        }
    return JobOutcome(
        order=order,
        move=move,
        error_code=error.code,
        error=strip_unstorable(str(error)),
        not_before=not_before,
        stops=error if concerns_all and isinstance(error, ProviderError) else None,
        # What stops everybody is not this job's fault.
        counts=move != "defer" or not stops,
        finished_at=known_now(),
        was_sent=not isinstance(error, NotSent | NoCredentials),
        **said,
    )


def _move(order: ClaimedJob, error: NBCatalogError) -> tuple[str, datetime | None]:
    if isinstance(error, OutcomeUnknown) and not order.is_free:
        return "lose", None
    if isinstance(error, ContentRefused):
        return "refuse", None
    if error.retryable and ratelimit.active_pause(error) is not None:
        return "defer", _later(order, error)
    may_retry = error.retryable or order.is_free and isinstance(error, ProviderError)
    if may_retry and order.attempts < settings.MAX_ATTEMPTS:
        return "defer", _later(order, error)
    return "fail", None


def _later(order: ClaimedJob, error: NBCatalogError) -> datetime:
    """At least what the provider asked for, else 2 s doubled with every try, jittered."""
    asked = getattr(error, "retry_after", None) or 0.0
    backoff = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** (order.attempts - 1))
    jittered = backoff * random.uniform(1.0, 1.5)  # noqa: S311 - spreads retries, hides nothing
    return known_now() + timedelta(seconds=max(asked, jittered))


def _cost(order: ClaimedJob, usage: Mapping[str, int], *, size: str = "") -> int | None:
    if order.is_free:
        return 0
    try:
        settled = spec_for(order.spec.model).settle(usage, size=size, batch=order.in_batch)
    except RequestRefused:
        # The model's card was taken out of the settings after the call.
        return None
    return None if settled is None else micros(settled)


def _cost_of_failure(order: ClaimedJob, error: ProviderError) -> int | None:
    if order.is_free or error.billed == Billed.NO:
        return 0
    return _cost(order, error.usage) if error.usage else None

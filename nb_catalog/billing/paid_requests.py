"""Send paid requests for texts: recorded and within budgets before sending, settled afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.db import transaction

from nb_catalog.billing import budgets
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import (
    Billed,
    NoCredentials,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    RequestRefused,
)
from nb_catalog.models import CopyDeck, ProductImage, TextCall
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.money import micros
from nb_catalog.models.text_calls import TextOutcome
from nb_catalog.providers.text_base import TextProvider, TextResult
from nb_catalog.providers.types import Payload, RawResponse

A = TypeVar("A", bound=TextResult)

# An older request that is still in flight is lost: its process died.
MAX_AGE: Final = timedelta(minutes=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidRequest:
    """A request before it is sent. ``estimate`` is the most that it is expected to cost, in USD.

    Only one request at a time is sent for a locale of one deck or picture; ``underway`` is the objection
    to another. ``is_wanted`` is called again once no other request can start.
    """

    payload: Payload
    about: CopyDeck | ProductImage
    locales: tuple[str, ...]
    estimate: Decimal
    underway: str
    is_wanted: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalResult:
    """How many texts were proposed; ``refused`` has the reason for each one that is unusable."""

    written: int
    refused: tuple[str, ...] = ()


def send_paid_request(provider: TextProvider[A], request: PaidRequest, *, actor: Actor) -> A:
    """Send ``request`` and return the parsed response. It is recorded and its money reserved before.

    Raises ``RequestRefused`` while the same request is under way and if a budget is reached, and
    ``ProviderError`` for errors of the service.
    """
    call = _begin(provider, request, actor=actor)
    try:
        result = provider.parse(_send(provider, request.payload))
    except ProviderError as error:
        if isinstance(error, NotSent | NoCredentials):
            _finish(call, outcome=TextOutcome.NOT_SENT, error_code=error.code, cost=0)
        elif isinstance(error, OutcomeUnknown):
            _finish(call, outcome=TextOutcome.UNKNOWN, error_code=error.code)
        else:
            cost = 0 if error.billed == Billed.NO else _cost(provider, error.usage)
            _finish(call, outcome=TextOutcome.FAILED, error_code=error.code, cost=cost)
        raise
    except BaseException:
        # A bug in a plug-in, or the process is stopped: the request may have been charged.
        _finish(call, outcome=TextOutcome.UNKNOWN, error_code=OutcomeUnknown.code)
        raise
    _finish(call, outcome=TextOutcome.ANSWERED, result=result, cost=_cost(provider, result.usage))
    return result


def mark_lost() -> int:
    """Mark requests whose process died as UNKNOWN. Return the number marked."""
    now = database_now()
    lost = TextCall.objects.filter(outcome=TextOutcome.IN_FLIGHT, started_at__lte=now - MAX_AGE)
    return lost.update(outcome=TextOutcome.UNKNOWN, error_code=OutcomeUnknown.code, finished_at=now)


def already_running_message(image: ProductImage) -> str:
    """Return the objection while a request about ``image`` is in flight."""
    return f"A model is looking at picture {image.pk} already. Try again in a moment."


def _send(provider: TextProvider[Any], payload: Payload) -> RawResponse:
    async def send() -> RawResponse:
        try:
            return await provider.send(payload)
        finally:
            await provider.close()

    return asyncio.run(send())


@transaction.atomic
def _begin(provider: TextProvider[Any], request: PaidRequest, *, actor: Actor) -> TextCall:
    about = request.about
    column = "deck" if isinstance(about, CopyDeck) else "image"
    # Locked: concurrent requests are checked one after the other.
    type(about)._default_manager.select_for_update().get(pk=about.pk)
    now = database_now()
    underway = TextCall.objects.filter(
        **{column: about}, outcome=TextOutcome.IN_FLIGHT, started_at__gt=now - MAX_AGE
    )
    if any(set(request.locales) & set(call.locales) for call in underway):
        raise RequestRefused(request.underway)
    if not request.is_wanted():
        raise RequestRefused(
            "Someone else has sent the same request in the meantime. Nothing was sent."
        )
    amount = micros(request.estimate)
    if reached := budgets.reserve_text_request(actor, amount, day=now.date()):
        raise RequestRefused(f"A daily budget is reached ({reached}). Nothing was sent.")
    return TextCall.objects.create(
        **{column: about}, locale=", ".join(request.locales), translator=provider.name,
        model=provider.model, actor=actor, estimate_microusd=amount, started_at=now,
    )  # fmt: skip


def _cost(provider: TextProvider[Any], usage: Mapping[str, int]) -> int | None:
    cost = provider.cost(usage)
    return None if cost is None else micros(cost)


@transaction.atomic
def _finish(
    call: TextCall,
    *,
    outcome: TextOutcome,
    error_code: str = "",
    result: TextResult | None = None,
    cost: int | None = None,
) -> None:
    changes: dict[str, Any] = {
        "outcome": outcome,
        "error_code": error_code,
        "finished_at": database_now(),
    }
    if result is not None:
        changes["usage"] = dict(result.usage)
        changes["model_version"] = result.model_version[:120]
        changes["request_id"] = result.request_id[:200]
    row = TextCall.objects.filter(pk=call.pk)
    row.update(**changes)
    # A person may have settled a request that was taken for lost before its response arrived.
    if cost is not None and row.filter(cost_microusd=None).update(cost_microusd=cost):
        call.cost_microusd = cost
        budgets.settle_text_request(call)

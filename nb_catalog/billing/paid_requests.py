"""Asking for words: on record and within budgets before a request goes out, settled once it is answered."""

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

# A request that is older is over, whatever its row says: its process died.
MAX_AGE: Final = timedelta(minutes=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidRequest:
    """A request before it goes out. ``estimate`` is the most that it is expected to cost, in USD.

    A language of one deck or picture is asked for once at a time: while it is, ``underway`` is the
    objection. ``is_wanted`` is asked again once nobody else can ask.
    """

    payload: Payload
    about: CopyDeck | ProductImage
    locales: tuple[str, ...]
    estimate: Decimal
    underway: str
    is_wanted: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalResult:
    """How many texts were proposed; ``refused`` says of each other one why it is of no use."""

    written: int
    refused: tuple[str, ...] = ()


def send_paid_request(adviser: TextProvider[A], question: PaidRequest, *, actor: Actor) -> A:
    """What ``adviser`` answers. The request is on record and its money reserved before it goes out.

    Raises ``RequestRefused`` while the same is underway and where a budget is reached, and
    ``ProviderError`` for what the service answered.
    """
    call = _begin(adviser, question, actor=actor)
    try:
        answer = adviser.parse(_send(adviser, question.payload))
    except ProviderError as error:
        _fail(call, error, adviser)
        raise
    except BaseException:
        # A plug-in's own fault, or the process is told to stop: it may have been charged.
        _finish(call, outcome=TextOutcome.UNKNOWN, error_code=OutcomeUnknown.code)
        raise
    _finish(call, outcome=TextOutcome.ANSWERED, answer=answer, cost=_cost(adviser, answer.usage))
    return answer


def mark_lost() -> int:
    """Note that the outcome of requests is unknown whose process must have died; how many there were."""
    now = database_now()
    lost = TextCall.objects.filter(outcome=TextOutcome.IN_FLIGHT, started_at__lte=now - MAX_AGE)
    return lost.update(outcome=TextOutcome.UNKNOWN, error_code=OutcomeUnknown.code, finished_at=now)


def already_running_message(image: ProductImage) -> str:
    """The objection while a model looks at ``image``, whatever it was asked."""
    return f"A model is looking at picture {image.pk} already. Try again in a moment."


def _send(adviser: TextProvider[Any], payload: Payload) -> RawResponse:
    async def send() -> RawResponse:
        try:
            return await adviser.send(payload)
        finally:
            await adviser.close()

    return asyncio.run(send())


@transaction.atomic
def _begin(adviser: TextProvider[Any], question: PaidRequest, *, actor: Actor) -> TextCall:
    about = question.about
    column = "deck" if isinstance(about, CopyDeck) else "image"
    # Held: two who ask at once do so in turns.
    type(about)._default_manager.select_for_update().get(pk=about.pk)
    now = database_now()
    underway = TextCall.objects.filter(
        **{column: about}, outcome=TextOutcome.IN_FLIGHT, started_at__gt=now - MAX_AGE
    )
    if any(set(question.locales) & set(call.locales) for call in underway):
        raise RequestRefused(question.underway)
    if not question.is_wanted():
        raise RequestRefused("Somebody else has asked for the same meanwhile. Nothing was sent.")
    amount = micros(question.estimate)
    if reached := budgets.reserve_text_request(actor, amount, day=now.date()):
        raise RequestRefused(f"A budget of the day is reached ({reached}). Nothing was sent.")
    return TextCall.objects.create(
        **{column: about}, locale=", ".join(question.locales), translator=adviser.name,
        model=adviser.model, actor=actor, estimate_microusd=amount, started_at=now,
    )  # fmt: skip


def _fail(call: TextCall, error: ProviderError, adviser: TextProvider[Any]) -> None:
    if isinstance(error, NotSent | NoCredentials):
        _finish(call, outcome=TextOutcome.NOT_SENT, error_code=error.code, cost=0)
    elif isinstance(error, OutcomeUnknown):
        _finish(call, outcome=TextOutcome.UNKNOWN, error_code=error.code)
    else:
        cost = 0 if error.billed == Billed.NO else _cost(adviser, error.usage)
        _finish(call, outcome=TextOutcome.FAILED, error_code=error.code, cost=cost)


def _cost(adviser: TextProvider[Any], usage: Mapping[str, int]) -> int | None:
    told = adviser.cost(usage)
    return None if told is None else micros(told)


@transaction.atomic
def _finish(
    call: TextCall,
    *,
    outcome: TextOutcome,
    error_code: str = "",
    answer: TextResult | None = None,
    cost: int | None = None,
) -> None:
    changes: dict[str, Any] = {
        "outcome": outcome,
        "error_code": error_code,
        "finished_at": database_now(),
    }
    if answer is not None:
        changes["usage"] = dict(answer.usage)
        changes["model_version"] = answer.model_version[:120]
        changes["request_id"] = answer.request_id[:200]
    row = TextCall.objects.filter(pk=call.pk)
    row.update(**changes)
    # A request that was given up for lost may be settled by a person before it is answered.
    if cost is not None and row.filter(cost_microusd=None).update(cost_microusd=cost):
        call.cost_microusd = cost
        budgets.settle_text_request(call)

"""Having missing texts of a copy deck proposed: paid for like any call, and shown on no picture yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction

from nb_catalog import decks, money, placeholders
from nb_catalog.exceptions import (
    Billed,
    NoCredentials,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    RequestRefused,
)
from nb_catalog.models import CopyDeck, TextCall
from nb_catalog.models.clock import database_now
from nb_catalog.models.copy_decks import LONGEST_TEXT
from nb_catalog.models.money import micros
from nb_catalog.models.text_calls import TextOutcome
from nb_catalog.providers.translators import Translated, Translator, translator
from nb_catalog.types import Actor, Payload, RawAnswer

# A request that is older is over, whatever its row says: its process died.
LONGEST: Final = timedelta(minutes=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """How many texts were proposed; ``refused`` says of each other one why it is of no use."""

    written: int
    refused: tuple[str, ...] = ()


def missing(deck: CopyDeck, locales: Iterable[str]) -> dict[str, dict[str, str]]:
    """Locale -> role -> the deck's own text, of what has neither text nor proposal in ``locales``."""
    there = set(deck.texts.values_list("locale", "role"))
    own = deck.words.get(deck.locale, {})
    return {
        code: {role: text for role, text in own.items() if (code, role) not in there}
        for code in locales
    }


def propose(deck: CopyDeck, locale: str, *, actor: Actor) -> Proposed:
    """Ask the translator for the texts that ``deck`` lacks in ``locale``; they wait as proposals.

    The request is on record and its money reserved before it goes out. Raises ``RequestRefused``
    without a translator, while the same is underway and where a budget is reached, and
    ``ProviderError`` for what the service answered.
    """
    asked = translator()
    if asked is None:
        raise RequestRefused("There is no translator: NB_CATALOG['TRANSLATOR'] names one.")
    texts = missing(deck, [locale])[locale]
    if not texts or locale == deck.locale:
        return Proposed(written=0)
    payload = asked.build(texts, source=deck.locale, target=locale)
    call = _begin(deck, locale, asked, amount=micros(asked.estimate(texts)), actor=actor)
    try:
        answer = asked.parse(_sent(asked, payload))
    except ProviderError as error:
        _fail(call, error, asked)
        raise
    except BaseException:
        # A plug-in's own fault, or the process is told to stop: it may have been charged.
        _end(call, outcome=TextOutcome.UNKNOWN, error_code="outcome_unknown")
        raise
    _end(call, outcome=TextOutcome.ANSWERED, answer=answer, cost=_cost(asked, answer.usage))
    fitting, refused = _judged(answer.texts, texts)
    cells = {(locale, role): text for role, text in fitting.items()}
    return Proposed(
        written=decks.write(deck, cells, actor=actor, proposed_by=asked.name), refused=refused
    )


def _sent(asked: Translator, payload: Payload) -> RawAnswer:
    async def send() -> RawAnswer:
        try:
            return await asked.send(payload)
        finally:
            await asked.close()

    return asyncio.run(send())


@transaction.atomic
def _begin(
    deck: CopyDeck, locale: str, asked: Translator, *, amount: int, actor: Actor
) -> TextCall:
    CopyDeck.objects.select_for_update().get(pk=deck.pk)
    now = database_now()
    underway = TextCall.objects.filter(
        deck=deck, locale=locale, outcome=TextOutcome.IN_FLIGHT, started_at__gt=now - LONGEST
    )
    if underway.exists():
        raise RequestRefused(f"The texts in {locale!r} are being translated already.")
    if reached := money.reserve_words(actor, amount, day=now.date()):
        raise RequestRefused(f"A budget of the day is reached ({reached}). Nothing was sent.")
    return TextCall.objects.create(
        deck=deck, locale=locale, translator=asked.name, model=asked.model, actor=actor,
        estimate_microusd=amount, started_at=now,
    )  # fmt: skip


def _fail(call: TextCall, error: ProviderError, asked: Translator) -> None:
    if isinstance(error, NotSent | NoCredentials):
        _end(call, outcome=TextOutcome.NOT_SENT, error_code=error.code, cost=0)
    elif isinstance(error, OutcomeUnknown):
        _end(call, outcome=TextOutcome.UNKNOWN, error_code=error.code)
    else:
        cost = 0 if error.billed == Billed.NO else _cost(asked, error.usage)
        _end(call, outcome=TextOutcome.FAILED, error_code=error.code, cost=cost)


def _cost(asked: Translator, usage: Mapping[str, int]) -> int | None:
    told = asked.cost(usage)
    return None if told is None else micros(told)


@transaction.atomic
def _end(
    call: TextCall,
    *,
    outcome: TextOutcome,
    error_code: str = "",
    answer: Translated | None = None,
    cost: int | None = None,
) -> None:
    call.outcome, call.error_code, call.cost_microusd = outcome, error_code, cost
    call.finished_at = database_now()
    if answer is not None:
        call.usage = dict(answer.usage)
        call.model_version = answer.model_version[:120]
        call.request_id = answer.request_id[:200]
    call.save()
    if cost is not None:
        money.settle_words(call)


def _judged(
    found: Mapping[str, str], asked: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What is of use of the texts ``found``, and why the others are not."""
    fitting: dict[str, str] = {}
    refused: list[str] = []
    for role, original in asked.items():
        text = " ".join(str(found.get(role, "")).split())
        problem = _problem(text, original)
        if problem:
            refused.append(f"{role}: {problem}")
        else:
            fitting[role] = text
    return fitting, tuple(refused)


def _problem(text: str, original: str) -> str:
    if not text:
        return "nothing was proposed."
    if len(text) > LONGEST_TEXT:
        return f"the proposal has {len(text)} characters."
    try:
        names = sorted(placeholders.names(text))
    except ValueError as error:
        return str(error)
    if names != sorted(placeholders.names(original)):
        return f"the proposal {text!r} has other values than the original."
    return ""

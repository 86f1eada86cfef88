"""Requests translations of a deck's missing texts. They are paid for, and stay proposals until accepted."""

from __future__ import annotations

from collections.abc import Iterable

from nb_catalog.billing import paid_requests
from nb_catalog.billing.paid_requests import PaidRequest, ProposalResult
from nb_catalog.copydecks import placeholders
from nb_catalog.copydecks.services import save_texts
from nb_catalog.copydecks.types import Cell
from nb_catalog.core.text import single_line
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import CopyDeck
from nb_catalog.models.copy_decks import LONGEST_TEXT
from nb_catalog.providers.translation import translation_provider


def missing_texts(deck: CopyDeck, locales: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return locale -> role -> the text to translate, where ``locales`` have neither text nor proposal."""
    stored = set(deck.texts.values_list("locale", "role"))
    own = deck.texts_by_locale.get(deck.locale, {})
    return {
        code: {role: text for role, text in own.items() if (code, role) not in stored}
        for code in locales
    }


def propose_translation(deck: CopyDeck, locale: str, *, actor: Actor) -> ProposalResult:
    """Have the texts that ``deck`` lacks in ``locale`` translated and store them as proposals.

    The request is recorded and its cost reserved before it is sent. Raises ``RequestRefused``
    without a translation provider, while the same request is in flight and when a budget is
    reached, and the ``ProviderError`` of a failed request.
    """
    provider = translation_provider()
    if provider is None:
        raise RequestRefused(
            "No translation provider is configured. Set NB_CATALOG['TRANSLATION_PROVIDER']."
        )
    texts = missing_texts(deck, [locale])[locale]
    if not texts or locale == deck.locale:
        return ProposalResult(written=0)
    request = PaidRequest(
        payload=provider.build(texts, source=deck.locale, target=locale),
        about=deck,
        locales=(locale,),
        estimate=provider.estimate(texts),
        underway=f"The texts in {locale!r} are already being translated.",
        is_wanted=lambda: missing_texts(deck, [locale])[locale] == texts,
    )
    result = paid_requests.send_paid_request(provider, request, actor=actor)
    proposals: dict[Cell, str] = {}
    refused: list[str] = []
    for role, original in texts.items():
        text = single_line(result.texts.get(role, ""))
        if problem := _problem(text, original):
            refused.append(f"{role}: {problem}")
        else:
            proposals[locale, role] = text
    return ProposalResult(
        written=save_texts(deck, proposals, actor=actor, proposed_by=provider.name),
        refused=tuple(refused),
    )


def _problem(text: str, original: str) -> str:
    """Return why ``text`` cannot be used as a translation of ``original``; "" if it can."""
    if not text:
        return "nothing was proposed."
    if len(text) > LONGEST_TEXT:
        return f"the proposal has {len(text)} characters; at most {LONGEST_TEXT} are possible."
    try:
        names = sorted(placeholders.names(text))
    except ValueError as error:
        return str(error)
    if names != sorted(placeholders.names(original)):
        return f"the placeholders of the proposal {text!r} differ from the original's."
    return ""

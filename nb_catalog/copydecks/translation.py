"""Having missing texts of a copy deck proposed: paid for like any call, and shown on no picture yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nb_catalog import copydecks
from nb_catalog.billing import paid_requests
from nb_catalog.billing.paid_requests import PaidRequest, ProposalResult
from nb_catalog.copydecks import placeholders
from nb_catalog.core.text import single_line
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import CopyDeck
from nb_catalog.models.copy_decks import LONGEST_TEXT
from nb_catalog.providers.translation import translation_provider


def missing_texts(deck: CopyDeck, locales: Iterable[str]) -> dict[str, dict[str, str]]:
    """Locale -> role -> the deck's own text, of what has neither text nor proposal in ``locales``."""
    there = set(deck.texts.values_list("locale", "role"))
    own = deck.texts_by_locale.get(deck.locale, {})
    return {
        code: {role: text for role, text in own.items() if (code, role) not in there}
        for code in locales
    }


def propose_translation(deck: CopyDeck, locale: str, *, actor: Actor) -> ProposalResult:
    """Ask the translator for the texts that ``deck`` lacks in ``locale``; they wait as proposals.

    The request is on record and its money reserved before it goes out. Raises ``RequestRefused``
    without a translator, while the same is underway and where a budget is reached, and
    ``ProviderError`` for what the service answered.
    """
    asked = translation_provider()
    if asked is None:
        raise RequestRefused(
            "No translation provider is configured. Set NB_CATALOG['TRANSLATION_PROVIDER']."
        )
    texts = missing_texts(deck, [locale])[locale]
    if not texts or locale == deck.locale:
        return ProposalResult(written=0)
    question = PaidRequest(
        payload=asked.build(texts, source=deck.locale, target=locale),
        about=deck,
        locales=(locale,),
        estimate=asked.estimate(texts),
        underway=f"The texts in {locale!r} are being translated already.",
        is_wanted=lambda: missing_texts(deck, [locale])[locale] == texts,
    )
    answer = paid_requests.send_paid_request(asked, question, actor=actor)
    fitting, refused = _validate_proposals(answer.texts, texts)
    cells = {(locale, role): text for role, text in fitting.items()}
    return ProposalResult(
        written=copydecks.save_texts(deck, cells, actor=actor, proposed_by=asked.name),
        refused=refused,
    )


def _validate_proposals(
    found: Mapping[str, str], asked: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What is of use of the texts ``found``, and why the others are not."""
    fitting: dict[str, str] = {}
    refused: list[str] = []
    for role, original in asked.items():
        text = single_line(found.get(role, ""))
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

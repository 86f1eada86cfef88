"""Writing copy decks: texts by locale and role, proposals and who accepted them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from django.db import transaction
from django.db.models import F

from nb_catalog.copydecks import placeholders
from nb_catalog.copydecks.types import Cell
from nb_catalog.core.locales import parse_locale
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import DeckRefused
from nb_catalog.models import CopyDeck, CopyText
from nb_catalog.models.copy_decks import LONGEST_TEXT
from nb_catalog.typesetting.layouts import role_name


def save_texts(
    deck: CopyDeck, texts: Mapping[Cell, str], *, actor: Actor = None, proposed_by: str = ""
) -> int:
    """Set ``texts`` of ``deck`` and leave all others alone; how many changed. An empty one is taken out.

    With ``proposed_by``, a translator's name, they are proposals: they fill empty cells and replace
    other proposals, never what a person wrote. Raises ``DeckRefused`` with every objection at once,
    and then nothing is written.
    """
    wanted = {cell: text.replace("\r\n", "\n").strip() for cell, text in texts.items()}
    objections = tuple(_objections(wanted))
    if objections:
        raise DeckRefused(*objections)
    with transaction.atomic():
        standing = _standing(deck)
        changed = {
            cell: text
            for cell, text in wanted.items()
            if _changes(standing.get(cell), text, proposed_by=proposed_by)
        }
        _put(deck, changed, actor=actor, proposed_by=proposed_by)
        if changed and not proposed_by:
            _raise_version(deck)
    return len(changed)


def accept_proposals(deck: CopyDeck, cells: Collection[Cell], *, actor: Actor) -> int:
    """Let the proposals in ``cells`` be shown, as texts of ``actor``; how many there were."""
    with transaction.atomic():
        proposed = [
            text
            for cell, text in _standing(deck).items()
            if cell in cells and text.proposed_by
        ]  # fmt: skip
        for text in proposed:
            text.proposed_by, text.changed_by = "", actor
            text.save()
        if proposed:
            _raise_version(deck)
    return len(proposed)


def _standing(deck: CopyDeck) -> dict[Cell, CopyText]:
    """What the deck holds. Its row is locked: two people who write at once do so in turns."""
    CopyDeck.objects.select_for_update().get(pk=deck.pk)
    return {(text.locale, text.role): text for text in deck.texts.all()}


def _changes(standing: CopyText | None, text: str, *, proposed_by: str) -> bool:
    if standing is None:
        return bool(text)
    if proposed_by:
        return bool(text) and bool(standing.proposed_by) and standing.text != text
    return standing.text != text or bool(standing.proposed_by)


def _put(deck: CopyDeck, texts: Mapping[Cell, str], *, actor: Actor, proposed_by: str) -> None:
    for (locale, role), text in texts.items():
        if not text:
            deck.texts.filter(locale=locale, role=role).delete()
            continue
        said = {"text": text, "proposed_by": proposed_by, "changed_by": actor}
        CopyText.objects.update_or_create(deck=deck, locale=locale, role=role, defaults=said)


def _raise_version(deck: CopyDeck) -> None:
    CopyDeck.objects.filter(pk=deck.pk).update(version=F("version") + 1)
    deck.refresh_from_db(fields=["version"])


def _objections(texts: Mapping[Cell, str]) -> Iterator[str]:
    for (locale, role), text in texts.items():
        try:
            parse_locale(locale)
            role_name(role)
            placeholders.parts(text)
        except ValueError as error:
            yield f"{locale} {role}: {error}"
        if len(text) > LONGEST_TEXT:
            yield f"{locale} {role}: {len(text)} characters, at most {LONGEST_TEXT} are possible."

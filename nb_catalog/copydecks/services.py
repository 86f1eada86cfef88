"""Writes copy decks: texts by locale and role, proposals and their acceptance."""

from __future__ import annotations

from collections.abc import Collection, Mapping

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
    """Save ``texts`` of ``deck``, leave all others alone and return the number of changes.

    An empty text deletes the stored one. With ``proposed_by``, the name of a translation provider or
    tool, the texts are proposals: they fill empty cells and replace other proposals, but never what
    a person wrote. Raises ``DeckRefused`` with every objection at once; then nothing is written.
    """
    cleaned = {cell: text.replace("\r\n", "\n").strip() for cell, text in texts.items()}
    objections: list[str] = []
    for (locale, role), text in cleaned.items():
        try:
            parse_locale(locale)
            role_name(role)
            placeholders.parts(text)
        except ValueError as error:
            objections.append(f"{locale} {role}: {error}")
        if len(text) > LONGEST_TEXT:
            length = f"{len(text)} characters; at most {LONGEST_TEXT} are possible."
            objections.append(f"{locale} {role}: {length}")
    if objections:
        raise DeckRefused(*objections)
    changes = 0
    with transaction.atomic():
        stored = _lock_texts(deck)
        for (locale, role), text in cleaned.items():
            if not _is_change(stored.get((locale, role)), text, proposed_by=proposed_by):
                continue
            changes += 1
            if text:
                values = {"text": text, "proposed_by": proposed_by, "changed_by": actor}
                deck.texts.update_or_create(locale=locale, role=role, defaults=values)
            else:
                deck.texts.filter(locale=locale, role=role).delete()
        if changes and not proposed_by:
            _increment_version(deck)
    return changes


def accept_proposals(deck: CopyDeck, cells: Collection[Cell], *, actor: Actor) -> int:
    """Accept the proposals in ``cells`` as texts of ``actor`` and return their number."""
    with transaction.atomic():
        proposals = [
            text for cell, text in _lock_texts(deck).items() if cell in cells and text.proposed_by
        ]
        for text in proposals:
            text.proposed_by, text.changed_by = "", actor
            text.save()
        if proposals:
            _increment_version(deck)
    return len(proposals)


def _lock_texts(deck: CopyDeck) -> dict[Cell, CopyText]:
    """Lock the deck's row, so that two people who write at once take turns; return the stored texts."""
    CopyDeck.objects.select_for_update().get(pk=deck.pk)
    return {(text.locale, text.role): text for text in deck.texts.all()}


def _is_change(stored: CopyText | None, text: str, *, proposed_by: str) -> bool:
    if stored is None:
        return bool(text)
    if proposed_by:
        return bool(text) and bool(stored.proposed_by) and stored.text != text
    return stored.text != text or bool(stored.proposed_by)


def _increment_version(deck: CopyDeck) -> None:
    CopyDeck.objects.filter(pk=deck.pk).update(version=F("version") + 1)
    deck.refresh_from_db(fields=["version"])

"""Writes copy decks from code: texts by locale and role, proposals and their acceptance."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from django.db import transaction

from nb_catalog.copydecks.cells import lock_cells
from nb_catalog.copydecks.changes import plan_changes, write_changes
from nb_catalog.copydecks.types import Cell, CellChange, CellState, DeckTexts
from nb_catalog.copydecks.validation import cell_problems, clean_text
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import DeckRefused
from nb_catalog.models import CopyDeck

# For a character that could not be read.
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def missing_texts(deck: CopyDeck, locales: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return locale -> role -> the text to translate, where ``locales`` have neither text nor proposal."""
    stored = set(deck.texts.values_list("locale", "role"))
    own = deck.texts_by_locale.get(deck.locale, {})
    return {
        code: {role: text for role, text in own.items() if (code, role) not in stored}
        for code in locales
    }


def save_texts(
    deck: CopyDeck, texts: Mapping[Cell, str], *, actor: Actor = None, proposed_by: str = ""
) -> int:
    """Save ``texts`` of ``deck``, leave all others alone and return the number of changes.

    An empty text deletes the stored one. With ``proposed_by``, the name of a translation provider or
    tool, the texts are proposals: they fill empty cells and replace other proposals, but never what
    a person wrote. Raises ``DeckRefused`` with every objection at once; then nothing is written.
    """
    # Proposals are checked even where they will not be stored: a provider's errors should be seen.
    if proposed_by and (
        problems := cell_problems(
            {cell: clean_text(text).replace(REPLACEMENT, "") for cell, text in texts.items()}
        )
    ):
        raise DeckRefused(*problems)
    with transaction.atomic():
        stored = lock_cells(deck)
        if proposed_by:
            open_cells = {
                cell: text for cell, text in texts.items() if not stored.get(cell, CellState()).text
            }
            incoming = DeckTexts(proposals=open_cells, tool=proposed_by)
        else:
            incoming = DeckTexts(texts=texts, empties_discard=True)
        # What a model proposed with a broken character is shown, so that a person repairs it.
        plan = plan_changes(
            deck, incoming, stored=stored, allowed=REPLACEMENT if proposed_by else ""
        )
        write_changes(deck, plan.changes, actor=actor)
    return len(plan)


def accept_proposals(deck: CopyDeck, cells: Collection[Cell], *, actor: Actor) -> int:
    """Accept the proposals in ``cells`` as texts of ``actor`` and return their number.

    Raises ``DeckRefused`` for proposals that cannot be a deck's texts; then none is accepted.
    """
    return _settle_proposals(deck, cells, actor=actor, accepted=True)


def discard_proposals(deck: CopyDeck, cells: Collection[Cell], *, actor: Actor) -> int:
    """Delete the proposals in ``cells``, leave the texts alone and return their number."""
    return _settle_proposals(deck, cells, actor=actor, accepted=False)


def _settle_proposals(
    deck: CopyDeck, cells: Collection[Cell], *, actor: Actor, accepted: bool
) -> int:
    with transaction.atomic():
        changes = [
            CellChange(
                locale=cell[0],
                role=cell[1],
                before=state,
                after=CellState(text=state.proposal if accepted else state.text),
            )
            for cell, state in lock_cells(deck).items()
            if cell in cells and state.proposal
        ]
        problems = (
            cell_problems({each.cell: each.after.text for each in changes}) if accepted else []
        )
        if problems:
            raise DeckRefused(*problems)
        write_changes(deck, changes, actor=actor)
    return len(changes)

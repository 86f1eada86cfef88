"""The rows of a deck as cells: a text, and a proposal to replace it, are two rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from django.utils import timezone

from nb_catalog.copydecks.types import Cell, CellState
from nb_catalog.core.types import Actor
from nb_catalog.models import CopyDeck, CopyText

# Rows of one query.
BLOCK: Final = 200


def read_cells(deck: CopyDeck) -> dict[Cell, CellState]:
    """Return the cells of ``deck`` that hold anything."""
    cells: dict[Cell, CellState] = {}
    for row in deck.texts.all():
        state = cells.get((row.locale, row.role), CellState())
        cells[row.locale, row.role] = (
            replace(state, proposal=row.text, proposed_by=row.proposed_by, note=row.note)
            if row.proposed_by
            else replace(state, text=row.text)
        )
    return cells


def lock_cells(deck: CopyDeck) -> dict[Cell, CellState]:
    """Lock the deck's row, so that two people who write at once take turns; return its cells."""
    CopyDeck.objects.select_for_update().get(pk=deck.pk)
    return read_cells(deck)


def write_cells(deck: CopyDeck, cells: Mapping[Cell, CellState], *, actor: Actor) -> None:
    """Write ``cells`` of a locked deck. Five queries for up to ``BLOCK`` rows, however many they are."""
    rows = {
        (row.locale, row.role, bool(row.proposed_by)): row
        for row in deck.texts.all()
        if (row.locale, row.role) in cells
    }
    now = timezone.now()
    emptied: list[int] = []
    known: list[CopyText] = []
    new: list[CopyText] = []
    for (locale, role), state in cells.items():
        wanted = (
            (False, state.text, "", ""),
            (True, state.proposal, state.proposed_by, state.note),
        )
        for is_proposal, text, proposed_by, note in wanted:
            row = rows.get((locale, role, is_proposal))
            if not text:
                emptied += [row.pk] if row is not None else []
                continue
            if row is None:
                row = CopyText(deck=deck, locale=locale, role=role)
                new.append(row)
            elif (row.text, row.proposed_by, row.note) == (text, proposed_by, note):
                continue
            else:
                known.append(row)
            row.text, row.proposed_by, row.note = text, proposed_by, note
            row.changed_by, row.changed_at = actor, now
    if emptied:
        deck.texts.filter(pk__in=emptied).delete()
    CopyText.objects.bulk_create(new, batch_size=BLOCK)
    fields = ["text", "proposed_by", "note", "changed_by", "changed_at"]
    CopyText.objects.bulk_update(known, fields, batch_size=BLOCK)

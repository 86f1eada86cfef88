"""The one way of texts into a deck: ``DeckTexts`` -> ``DeckChanges`` -> preview -> applied -> undone.

The form, files and the API all take it, so that all are checked alike and can be undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from nb_catalog.copydecks import vocabulary
from nb_catalog.copydecks.cells import lock_cells, read_cells, write_cells
from nb_catalog.copydecks.text_checks import text_warnings
from nb_catalog.copydecks.types import Cell, CellChange, CellState, DeckChanges, DeckTexts
from nb_catalog.copydecks.validation import cell_problems, clean_text
from nb_catalog.core.text import shorten
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import DeckRefused
from nb_catalog.models import CopyDeck, DeckImport

# Imports of one deck that are kept for their undo, and previews that nobody has applied.
KEPT: Final = 50
KEPT_PREVIEWS: Final = 10
# Cells that an objection names.
_NAMED: Final = 5
_EMPTY: Final = CellState()


def plan_changes(
    deck: CopyDeck,
    incoming: DeckTexts,
    *,
    stored: Mapping[Cell, CellState] | None = None,
    allowed: str = "",
) -> DeckChanges:
    """Return what ``incoming`` would change in ``deck``. Writes nothing.

    Texts that are stored already are not checked again, nor is the character ``allowed``. Raises
    ``DeckRefused`` with every objection at once.
    """
    current = read_cells(deck) if stored is None else stored
    after: dict[Cell, CellState] = {}
    for cell, text in incoming.texts.items():
        before = current.get(cell, _EMPTY)
        after[cell] = _with_text(before, clean_text(text), discards=incoming.empties_discard)
    for cell, text in incoming.proposals.items():
        before = after.get(cell) or current.get(cell, _EMPTY)
        cleaned = clean_text(text)
        if cleaned and cleaned not in (before.text, before.proposal):
            after[cell] = replace(
                before,
                proposal=cleaned,
                proposed_by=(incoming.tool or _("a translation file"))[:120],
                note=shorten(incoming.notes.get(cell, ""), 300),
            )
    changes = [
        CellChange(locale=cell[0], role=cell[1], before=current.get(cell, _EMPTY), after=state)
        for cell, state in after.items()
        if state != current.get(cell, _EMPTY)
    ]
    if objections := cell_problems(
        {each.cell: each.new.replace(allowed, "") if allowed else each.new for each in changes}
    ):
        raise DeckRefused(*objections)
    cells = {*incoming.texts, *incoming.proposals}
    return DeckChanges(
        changes=tuple(changes), unchanged=len(cells) - len(changes), warnings=incoming.warnings
    )


def with_warnings(deck: CopyDeck, plan: DeckChanges) -> DeckChanges:
    """Return ``plan`` with what is probably a mistake in it: misspelt roles and values, among others."""
    written = [each for each in plan.changes if each.new]
    roles = vocabulary.unknown_role_warnings(deck, (each.role for each in written))
    values = vocabulary.unknown_value_warnings(each.new for each in written)
    return replace(
        plan,
        changes=tuple(
            replace(each, warnings=(*each.warnings, *text_warnings(each.new)))
            for each in plan.changes
        ),
        warnings=(*plan.warnings, *roles, *values),
    )


def write_changes(deck: CopyDeck, changes: Sequence[CellChange], *, actor: Actor) -> None:
    """Write ``changes``, in a transaction that has locked the deck. Cells become what they are after."""
    write_cells(deck, {each.cell: each.after for each in changes}, actor=actor)
    if any(each.before.text != each.after.text for each in changes):
        CopyDeck.objects.filter(pk=deck.pk).update(version=F("version") + 1)
        deck.refresh_from_db(fields=["version"])


def keep_preview(deck: CopyDeck, plan: DeckChanges, *, origin: str, actor: Actor) -> DeckImport:
    """Store ``plan`` until somebody applies it; ``origin`` is what the texts came from.

    The oldest ones of the deck are deleted.
    """
    record = DeckImport.objects.create(
        deck=deck,
        actor=actor,
        origin=origin[:120],
        changes=[each.as_json() for each in plan.changes],
        warnings=list(plan.warnings),
        unchanged=plan.unchanged,
    )
    for is_preview, kept in ((True, KEPT_PREVIEWS), (False, KEPT)):
        rows = DeckImport.objects.filter(deck=deck, applied_at__isnull=is_preview)
        # As a list: MariaDB deletes from no table that it reads with a limit.
        old = list(rows.order_by("-pk").values_list("pk", flat=True)[kept:])
        DeckImport.objects.filter(pk__in=old).delete()
    return record


def apply_import(record: DeckImport, *, actor: Actor) -> DeckChanges:
    """Write what a preview showed, and nothing else.

    Raises ``DeckRefused`` if it has been applied, or one of its cells has changed since.
    """
    plan = changes_of(record)
    with transaction.atomic():
        current = lock_cells(record.deck)
        # Cells after the lock: two people who apply it at once take turns.
        is_ours = DeckImport.objects.filter(pk=record.pk, applied_at=None).update(
            applied_at=timezone.now(), actor=actor
        )
        if not is_ours:
            raise DeckRefused(_("These changes have been applied already."))
        moved = [
            each.cell for each in plan.changes if current.get(each.cell, _EMPTY) != each.before
        ]
        if moved:
            message = _(
                "%(cells)s changed since the preview. Import the file again to see what it would "
                "change now."
            )
            raise DeckRefused(message % {"cells": _named(moved)})
        write_changes(record.deck, plan.changes, actor=actor)
    record.refresh_from_db()
    return plan


def undo_import(record: DeckImport, *, actor: Actor) -> DeckChanges:
    """Give the changed cells back what they held before the import; return these changes.

    Raises ``DeckRefused`` if somebody has changed one of them since, or it has been undone.
    """
    back = tuple(
        replace(each, before=each.after, after=each.before) for each in changes_of(record).changes
    )
    with transaction.atomic():
        current = lock_cells(record.deck)
        is_ours = DeckImport.objects.filter(
            pk=record.pk, applied_at__isnull=False, undone_at=None
        ).update(undone_at=timezone.now(), undone_by=actor)
        if not is_ours:
            message = _("These changes are not applied, or have been undone already.")
            raise DeckRefused(message)
        moved = [each.cell for each in back if current.get(each.cell, _EMPTY) != each.before]
        if moved:
            message = _(
                "%(cells)s changed after the import. Undoing it would lose that: correct the texts "
                "on the deck’s page."
            )
            raise DeckRefused(message % {"cells": _named(moved)})
        write_changes(record.deck, back, actor=actor)
    record.refresh_from_db()
    return DeckChanges(changes=back)


def import_texts(
    deck: CopyDeck, incoming: DeckTexts, *, origin: str, actor: Actor
) -> tuple[DeckChanges, DeckImport | None]:
    """Plan and apply ``incoming`` in one step; return what changed, with warnings, and what can be undone.

    Raises ``DeckRefused`` with every objection at once; then nothing is written.
    """
    with transaction.atomic():
        plan = with_warnings(deck, plan_changes(deck, incoming, stored=lock_cells(deck)))
        if not plan.changes:
            return plan, None
        record = keep_preview(deck, plan, origin=origin, actor=actor)
        return apply_import(record, actor=actor), record


def changes_of(record: DeckImport) -> DeckChanges:
    """Return the changes that ``record`` holds."""
    return DeckChanges(
        changes=tuple(map(CellChange.from_json, record.changes)),
        unchanged=record.unchanged,
        warnings=tuple(record.warnings),
    )


def _with_text(before: CellState, text: str, *, discards: bool) -> CellState:
    if text:
        # What a person writes also decides about a proposal; the same text says nothing about it.
        return before if text == before.text else CellState(text=text)
    if before.text:
        return replace(before, text="")
    return _EMPTY if discards else before


def _named(cells: Sequence[Cell]) -> str:
    names = ", ".join(" ".join(each) for each in cells[:_NAMED])
    return f"{names}, … ({len(cells)})" if len(cells) > _NAMED else names

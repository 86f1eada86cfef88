"""Copy decks: multilingual texts, written, imported and exported."""

from nb_catalog.copydecks.changes import apply_import, import_texts, plan_changes, undo_import
from nb_catalog.copydecks.files import read_file
from nb_catalog.copydecks.services import (
    accept_proposals,
    discard_proposals,
    missing_texts,
    save_texts,
)
from nb_catalog.copydecks.types import DeckChanges, DeckTexts

__all__ = [
    "DeckChanges",
    "DeckTexts",
    "accept_proposals",
    "apply_import",
    "discard_proposals",
    "import_texts",
    "missing_texts",
    "plan_changes",
    "read_file",
    "save_texts",
    "undo_import",
]

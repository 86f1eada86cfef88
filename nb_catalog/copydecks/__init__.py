"""Copy decks: multilingual texts, written, imported, exported and translated."""

from nb_catalog.copydecks.services import accept_proposals, save_texts
from nb_catalog.copydecks.translation import missing_texts, propose_translation

__all__ = [
    "accept_proposals",
    "missing_texts",
    "propose_translation",
    "save_texts",
]

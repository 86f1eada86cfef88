"""Copy decks: multilingual texts, written, imported, exported and translated."""

from nb_catalog.copydecks.services import accept, write

__all__ = ["accept", "write"]

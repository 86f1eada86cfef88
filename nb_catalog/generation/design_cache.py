"""Layouts and copy decks as they are now, and what a picture with words would be today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from nb_catalog.copydecks.resolution import CopyResolver, ResolvedCopy
from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import CopyDeck, TextLayout
from nb_catalog.registry import CatalogSource


class DesignCache:
    """Layouts, decks and what decks say, each read once for a whole plan."""

    def __init__(self, source: CatalogSource) -> None:
        self.source = source
        self._wordings: dict[str, CopyResolver] = {}

    @cached_property
    def layouts(self) -> Mapping[str, TextLayout]:
        return {row.key: row for row in TextLayout.objects.all()}

    @cached_property
    def decks(self) -> Mapping[str, CopyDeck]:
        return {deck.key: deck for deck in CopyDeck.objects.all()}

    def wording(self, deck: str) -> CopyResolver:
        """Of the deck with this key; the shop's own words for none."""
        if deck not in self._wordings:
            self._wordings[deck] = CopyResolver(source=self.source, deck=self.decks.get(deck))
        return self._wordings[deck]

    def today(self, spec: ImageSpec, copy: ResolvedCopy) -> ImageSpec | NBCatalogError | None:
        """``spec`` with the words of ``copy`` in the layout as it is now, or why there is none; None where
        the layout or the deck is gone: nobody can say what it would look like."""
        row = self.layouts.get(spec.layout)
        if row is None or (spec.deck and spec.deck not in self.decks):
            return None
        try:
            layout = row.layout
        except ValueError:
            return None
        missing = copy.missing_for(layout, name=row.name, locale=spec.locale)
        texts = copy.shown_by(layout)
        return missing or replace(
            spec,
            renderer={**spec.renderer, "layout": row.content, "texts": texts},
            layout_version=row.version,
            deck_version=self.decks[spec.deck].version if spec.deck else 0,
        )

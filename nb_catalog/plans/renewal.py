"""Published pictures whose words the shop would not say any more, and what to make in their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Final

from django.db.models import Model

from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import CopyDeck, Placement, TextLayout
from nb_catalog.plans.typesetting import Typesetting
from nb_catalog.plans.wording import Copy, Wording
from nb_catalog.recipes import Recipe
from nb_catalog.registry import CatalogSource

# Published pictures with words of one product: bounds what is looked up at once.
MOST_EACH: Final = 20


class Designs:
    """Layouts, decks and what decks say, each read once for a whole plan."""

    def __init__(self, source: CatalogSource) -> None:
        self.source = source
        self._wordings: dict[str, Wording] = {}

    @cached_property
    def layouts(self) -> Mapping[str, TextLayout]:
        return {row.key: row for row in TextLayout.objects.all()}

    @cached_property
    def decks(self) -> Mapping[str, CopyDeck]:
        return {deck.key: deck for deck in CopyDeck.objects.all()}

    def wording(self, deck: str) -> Wording:
        """Of the deck with this key; the shop's own words for none."""
        if deck not in self._wordings:
            self._wordings[deck] = Wording(source=self.source, deck=self.decks.get(deck))
        return self._wordings[deck]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A published picture with words. ``now`` is the recipe that stands for it today, or why there
    is none; it is stale when that differs from its own."""

    placement: Placement
    now: Recipe | NBCatalogError

    @property
    def is_stale(self) -> bool:
        if not isinstance(self.now, Recipe):
            return True
        return self.now.fingerprint != self.placement.image.fingerprint


@dataclass(frozen=True, kw_only=True)
class Renewal(Typesetting):
    """The plan of nothing but what is out of date, on the same pictures in the same layouts."""

    source: CatalogSource
    designs: Designs
    shown: Mapping[str, Sequence[Shown]] = field(default_factory=dict)

    each: ClassVar[int] = 1
    most_each: ClassVar[int] = MOST_EACH

    @classmethod
    def of(cls, source: CatalogSource) -> Renewal:
        return cls(source=source, designs=Designs(source))

    def for_block(self, products: Sequence[Model]) -> Renewal:
        """It with what is published of ``products``: one query."""
        found: dict[str, list[Shown]] = defaultdict(list)
        for each in self.looked_over(products):
            found[each.placement.object_id].append(each)
        return replace(self, shown=found)

    def recipes(self, product: Model) -> Iterator[Recipe | NBCatalogError]:
        for each in self.shown.get(str(product.pk), ()):
            if each.is_stale:
                yield each.now

    def looked_over(self, products: Sequence[Model]) -> Iterator[Shown]:
        """Each published picture with words of ``products``, and what stands for it today."""
        by_key = {str(product.pk): product for product in products}
        placements = (
            Placement.objects.about_any(self.source.model, list(by_key))
            .filter(image__locale__gt="")
            .select_related("image")
        )
        copies: dict[tuple[str, str, str], Copy] = {}
        for placement in placements:
            recipe = Recipe.from_dict(placement.image.recipe)
            if not recipe.base:
                continue
            told = (placement.object_id, recipe.deck, recipe.locale)
            if told not in copies:
                product = by_key[placement.object_id]
                copies[told] = self.designs.wording(recipe.deck).copy(product, recipe.locale)
            now = self._today(recipe, copies[told])
            if now is not None:
                yield Shown(placement=placement, now=now)

    def _today(self, recipe: Recipe, copy: Copy) -> Recipe | NBCatalogError | None:
        """None where the layout or the deck is gone: nobody can say what it would look like."""
        row = self.designs.layouts.get(recipe.layout)
        if row is None or (recipe.deck and recipe.deck not in self.designs.decks):
            return None
        try:
            layout = row.layout
        except ValueError:
            return None
        missing = copy.missing_for(layout, name=row.name, locale=recipe.locale)
        words = copy.shown_by(layout)
        return missing or replace(
            recipe,
            renderer={**recipe.renderer, "layout": row.content, "words": words},
            layout_version=row.version,
            deck_version=self.designs.decks[recipe.deck].version if recipe.deck else 0,
        )

"""Published pictures whose words the shop would not say any more, and what to make in their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

from django.db.models import Model

from nb_catalog.copydecks.resolution import Copy
from nb_catalog.core.specs import Recipe
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.design_cache import Designs
from nb_catalog.generation.free_planner import Typesetting
from nb_catalog.generation.replace_painted import Base, bases_of, exactly
from nb_catalog.models import Placement, ProductImage
from nb_catalog.registry import CatalogSource

# Published pictures with words of one product: bounds what is looked up at once.
MOST_EACH: Final = 20


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
    bases: Mapping[Base, ProductImage] = field(default_factory=dict)

    each: ClassVar[int] = 1
    most_each: ClassVar[int] = MOST_EACH

    @classmethod
    def of(cls, source: CatalogSource) -> Renewal:
        return cls(source=source, designs=Designs(source))

    def for_block(self, products: Sequence[Model]) -> Renewal:
        """It with what is published of ``products``: one query, and another where a model painted."""
        found: dict[str, list[Shown]] = defaultdict(list)
        for each in self.looked_over(products):
            found[each.placement.object_id].append(each)
        stale = (each.now for shown in found.values() for each in shown if each.is_stale)
        recipes = [each for each in stale if isinstance(each, Recipe)]
        return replace(self, shown=found, bases=bases_of(self.source.model, recipes))

    def recipes(self, product: Model) -> Iterator[Recipe | NBCatalogError]:
        for each in self.shown.get(str(product.pk), ()):
            if each.is_stale:
                yield self._in_its_place(each.now)

    def _in_its_place(self, now: Recipe | NBCatalogError) -> Recipe | NBCatalogError:
        """What a model painted is set now: that is free, and right at once."""
        if isinstance(now, Recipe) and now.paints_words:
            return exactly(now, self.bases)
        return now

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
            now = self.designs.today(recipe, copies[told])
            if now is not None:
                yield Shown(placement=placement, now=now)

"""Published pictures whose words the shop would not say any more, and what to make in their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

from django.db.models import Model

from nb_catalog.copydecks.resolution import ResolvedCopy
from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.design_cache import DesignCache
from nb_catalog.generation.free_planner import FreePlanner
from nb_catalog.generation.replace_painted import Base, as_typeset, base_images
from nb_catalog.models import Placement, ProductImage
from nb_catalog.registry import CatalogSource

# Published pictures with words of one product: bounds what is looked up at once.
MOST_EACH: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedText:
    """A published picture with words. ``now`` is the recipe that stands for it today, or why there
    is none; it is stale when that differs from its own."""

    placement: Placement
    now: ImageSpec | NBCatalogError

    @property
    def is_stale(self) -> bool:
        if not isinstance(self.now, ImageSpec):
            return True
        return self.now.fingerprint != self.placement.image.fingerprint


@dataclass(frozen=True, kw_only=True)
class RefreshPlanner(FreePlanner):
    """The plan of nothing but what is out of date, on the same pictures in the same layouts."""

    source: CatalogSource
    designs: DesignCache
    shown: Mapping[str, Sequence[PublishedText]] = field(default_factory=dict)
    bases: Mapping[Base, ProductImage] = field(default_factory=dict)

    each: ClassVar[int] = 1
    most_each: ClassVar[int] = MOST_EACH

    @classmethod
    def of(cls, source: CatalogSource) -> RefreshPlanner:
        return cls(source=source, designs=DesignCache(source))

    def for_block(self, products: Sequence[Model]) -> RefreshPlanner:
        """It with what is published of ``products``: one query, and another where a model painted."""
        found: dict[str, list[PublishedText]] = defaultdict(list)
        for each in self.looked_over(products):
            found[each.placement.object_id].append(each)
        stale = (each.now for shown in found.values() for each in shown if each.is_stale)
        specs = [each for each in stale if isinstance(each, ImageSpec)]
        return replace(self, shown=found, bases=base_images(self.source.model, specs))

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        for each in self.shown.get(str(product.pk), ()):
            if each.is_stale:
                yield self._in_its_place(each.now)

    def _in_its_place(self, now: ImageSpec | NBCatalogError) -> ImageSpec | NBCatalogError:
        """What a model painted is set now: that is free, and right at once."""
        if isinstance(now, ImageSpec) and now.paints_words:
            return as_typeset(now, self.bases)
        return now

    def looked_over(self, products: Sequence[Model]) -> Iterator[PublishedText]:
        """Each published picture with words of ``products``, and what stands for it today."""
        by_key = {str(product.pk): product for product in products}
        placements = (
            Placement.objects.about_any(self.source.model, list(by_key))
            .filter(image__locale__gt="")
            .select_related("image")
        )
        copies: dict[tuple[str, str, str], ResolvedCopy] = {}
        for placement in placements:
            spec = ImageSpec.from_dict(placement.image.spec)
            if not spec.base:
                continue
            told = (placement.object_id, spec.deck, spec.locale)
            if told not in copies:
                product = by_key[placement.object_id]
                copies[told] = self.designs.wording(spec.deck).copy(product, spec.locale)
            now = self.designs.today(spec, copies[told])
            if now is not None:
                yield PublishedText(placement=placement, now=now)

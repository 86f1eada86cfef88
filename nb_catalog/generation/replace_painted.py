"""Words that a model painted, set exactly instead: on the picture without words that they were meant for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from django.db.models import Model

from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NBCatalogError, PictureMissing
from nb_catalog.generation.design_cache import DesignCache
from nb_catalog.generation.free_planner import FreePlanner
from nb_catalog.models import ProductImage
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.typesetter import ALIAS
from nb_catalog.registry import CatalogSource

# An object's key and the sha256 of one of its pictures.
Base = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class ReplacePaintedText(FreePlanner):
    """The plan of setting what ``painted`` shows, by product, in today's words. ``bases`` are the pictures
    below, once they are looked up."""

    source: CatalogSource
    designs: DesignCache
    painted: Mapping[str, Sequence[ImageSpec]]
    bases: Mapping[Base, ProductImage] = field(default_factory=dict)

    each: ClassVar[int] = 1
    most_each: ClassVar[int] = 20

    def for_block(self, products: Sequence[Model]) -> ReplacePaintedText:
        """It with the pictures below those of ``products``: one query."""
        specs = [each for product in products for each in self._of(product)]
        return replace(self, bases=base_images(self.source.model, specs))

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        for painted in self._of(product):
            copy = self.designs.wording(painted.deck).copy(product, painted.locale)
            now = self.designs.today(painted, copy) or painted
            yield as_typeset(now, self.bases) if isinstance(now, ImageSpec) else now

    def _of(self, product: Model) -> Sequence[ImageSpec]:
        return self.painted.get(str(product.pk), ())


def base_images(model: type[Model], specs: Iterable[ImageSpec]) -> dict[Base, ProductImage]:
    """The pictures of objects of ``model`` that the words of ``specs`` are for; without those whose file
    was taken away."""
    wanted = {(each.object_id, each.base) for each in specs if each.paints_words}
    if not wanted:
        return {}
    rows = ProductImage.objects.about_any(model, [key for key, _digest in wanted]).filter(
        kind=ImageKind.PICTURE, pruned_at=None, sha256__in={digest for _key, digest in wanted}
    )
    return {(row.object_id, row.sha256): row for row in rows.order_by("pk")}


def as_typeset(
    painted: ImageSpec, bases: Mapping[Base, ProductImage]
) -> ImageSpec | PictureMissing:
    """The recipe of the words of ``painted``, set on the picture that they are for."""
    base = bases.get((painted.object_id, painted.base))
    if base is None:
        return PictureMissing(
            "The picture without words, which these were painted for, is gone. Generate one anew."
        )
    renderer = {**painted.renderer, "origin": base.digital_source_type}
    if product := base.checks.get("product"):
        renderer["product"] = product
    return replace(
        painted,
        photo=base.file.name or "",
        photo_version="",
        size=str(base.spec.get("size", "")),
        provider=ALIAS,
        model=ALIAS,
        thinking="",
        pose="",
        prompt="",
        system="",
        canvas="",
        renderer=renderer,
        variant=1,
    )

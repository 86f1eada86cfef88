"""Words that a model painted, set exactly instead: on the picture without words that they were meant for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from django.db.models import Model

from nb_catalog.core.specs import Recipe
from nb_catalog.exceptions import NBCatalogError, PictureMissing
from nb_catalog.generation.design_cache import Designs
from nb_catalog.generation.free_planner import Typesetting
from nb_catalog.models import ProductImage
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.typesetter import ALIAS
from nb_catalog.registry import CatalogSource

# An object's key and the sha256 of one of its pictures.
Base = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Exact(Typesetting):
    """The plan of setting what ``painted`` shows, by product, in today's words. ``bases`` are the pictures
    below, once they are looked up."""

    source: CatalogSource
    designs: Designs
    painted: Mapping[str, Sequence[Recipe]]
    bases: Mapping[Base, ProductImage] = field(default_factory=dict)

    each: ClassVar[int] = 1
    most_each: ClassVar[int] = 20

    def for_block(self, products: Sequence[Model]) -> Exact:
        """It with the pictures below those of ``products``: one query."""
        recipes = [each for product in products for each in self._of(product)]
        return replace(self, bases=bases_of(self.source.model, recipes))

    def recipes(self, product: Model) -> Iterator[Recipe | NBCatalogError]:
        for painted in self._of(product):
            copy = self.designs.wording(painted.deck).copy(product, painted.locale)
            now = self.designs.today(painted, copy) or painted
            yield exactly(now, self.bases) if isinstance(now, Recipe) else now

    def _of(self, product: Model) -> Sequence[Recipe]:
        return self.painted.get(str(product.pk), ())


def bases_of(model: type[Model], recipes: Iterable[Recipe]) -> dict[Base, ProductImage]:
    """The pictures of objects of ``model`` that the words of ``recipes`` are for; without those whose file
    was taken away."""
    wanted = {(each.object_id, each.base) for each in recipes if each.paints_words}
    if not wanted:
        return {}
    rows = ProductImage.objects.about_any(model, [key for key, _digest in wanted]).filter(
        kind=ImageKind.PICTURE, pruned_at=None, sha256__in={digest for _key, digest in wanted}
    )
    return {(row.object_id, row.sha256): row for row in rows.order_by("pk")}


def exactly(painted: Recipe, bases: Mapping[Base, ProductImage]) -> Recipe | PictureMissing:
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
        size=str(base.recipe.get("size", "")),
        provider=ALIAS,
        model=ALIAS,
        thinking="",
        posture="",
        words="",
        system="",
        canvas="",
        renderer=renderer,
        variant=1,
    )

"""Plans the typeset text of a picture again, on an edit of it: the words move along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.generation.lookups import USABLE_STATES, ancestors_of
from nb_catalog.generation.planners import FreePlanner, slots_for
from nb_catalog.generation.refresh import checked, typeset_on
from nb_catalog.generation.text_checks import TextChecks
from nb_catalog.generation.text_overlays import DesignCache
from nb_catalog.models import ProductImage
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import CatalogSource


@dataclass(frozen=True, kw_only=True)
class MovedTextPlanner(FreePlanner):
    """Sets the texts of ``overlays`` on ``image``, an edit of the pictures that they are on."""

    designs: DesignCache
    image: ProductImage
    overlays: Sequence[ProductImage]
    checks: TextChecks = field(default_factory=TextChecks, compare=False)

    kind: ClassVar[str] = "moved_texts"
    per_product: ClassVar[int] = 1
    products_per_block: ClassVar[int] = 1

    @property
    def source(self) -> CatalogSource:
        return self.designs.source

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        return replace(self, checks=TextChecks())

    def title(self) -> str:
        return _("Text on the edited picture %(pk)s") % {"pk": self.image.pk}

    def as_request(self) -> dict[str, object]:
        return {"model": self.source.label, "image": self.image.pk}

    def for_block(self, products: Sequence[Model]) -> Self:
        return self

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        for overlay in self.overlays:
            spec = ImageSpec.of_image(overlay.spec)
            copy = self.designs.copy_resolver(spec.deck).resolve(product, spec.locale)
            current = self.designs.current_spec(spec, copy) or spec
            if not isinstance(current, ImageSpec):
                yield current
                continue
            moved = typeset_on(self.image, current)
            slots = slots_for(self.source, "")
            yield checked(moved, self.image, checks=self.checks, slots=slots)


def moved_text_planner(image: ProductImage, *, designs: DesignCache) -> MovedTextPlanner:
    """Return the planner for the texts of the pictures that ``image`` is an edit of. Two queries.

    Raises ``RequestRefused`` for a picture that is not an edit.
    """
    if not image.spec.get("edit"):
        raise RequestRefused(_("Picture %(pk)s is not an edit of another one.") % {"pk": image.pk})
    return MovedTextPlanner(designs=designs, image=image, overlays=_overlays_of(image))


def _overlays_of(image: ProductImage) -> list[ProductImage]:
    """Return the pictures with typeset text to move to ``image``: of each layout and language, that of the
    nearest picture in its chain of edits, an approved one rather than one that waits."""
    about = ProductImage.objects.filter(
        content_type_id=image.content_type_id, object_id=image.object_id
    )
    distance = {key: number for number, key in enumerate(ancestors_of(image))}
    rows = about.filter(
        parent__in=distance,
        kind=ImageKind.PICTURE,
        locale__gt="",
        state__in=USABLE_STATES,
    ).order_by("pk")
    best: dict[tuple[str, str], ProductImage] = {}
    ranks: dict[tuple[str, str], tuple[int, int, int]] = {}
    for row in rows:
        spec = ImageSpec.of_image(row.spec)
        if not spec.sets_text or row.parent_id is None:
            continue
        place = spec.layout, spec.locale
        usable = USABLE_STATES.index(ImageState(row.state))
        rank = -distance[row.parent_id], usable, row.pk
        if place not in best or rank > ranks[place]:
            best[place], ranks[place] = row, rank
    return list(best.values())

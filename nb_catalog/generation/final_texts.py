"""Plans the text of published pictures on the finals that replace what is below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Self

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.edits import AdjustmentPlanner
from nb_catalog.generation.planners import FreePlanner, plural_name, slots_for
from nb_catalog.generation.refresh import checked, typeset_on
from nb_catalog.generation.text_checks import TextChecks
from nb_catalog.generation.text_overlays import DesignCache
from nb_catalog.imaging.adjust import parse_adjustments
from nb_catalog.models import Placement
from nb_catalog.registry import CatalogSource

BLOCK: Final = 500


@dataclass(frozen=True, kw_only=True)
class FinalTextPlanner(FreePlanner):
    """Typesets the text of placements that wait for a final below it: today's words in today's layouts. What
    was adjusted without a model, cropped for example, is adjusted again.

    With ``placements``, only those with these keys. ``waiting`` are set by ``for_block``. Text that a model
    painted is typeset.
    """

    designs: DesignCache
    placements: frozenset[int] | None = None
    waiting: Mapping[str, Sequence[Placement]] = field(default_factory=dict)
    checks: TextChecks = field(default_factory=TextChecks, compare=False)

    kind: ClassVar[str] = "final_texts"
    per_product: ClassVar[int] = 1
    products_per_block: ClassVar[int] = BLOCK

    @property
    def source(self) -> CatalogSource:
        return self.designs.source

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        return replace(self, checks=TextChecks())

    def title(self) -> str:
        return _("%(what)s: text on finals") % {"what": plural_name(self.source)}

    def as_request(self) -> dict[str, object]:
        chosen = {} if self.placements is None else {"placements": sorted(self.placements)}
        return {"model": self.source.label, **chosen}

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the placements of ``products`` that wait for text. One query."""
        rows = Placement.objects.about_any(
            self.source.model, [str(product.pk) for product in products]
        ).filter(next_base__pruned_at=None, next_base__isnull=False)
        if self.placements is not None:
            rows = rows.filter(pk__in=self.placements)
        waiting: dict[str, list[Placement]] = defaultdict(list)
        for placement in rows.select_related("image", "next_base").defer("picture_data"):
            waiting[placement.object_id].append(placement)
        return replace(self, waiting=waiting)

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        for placement in self.waiting.get(str(product.pk), ()):
            yield self.spec_of(placement, product)

    def spec_of(self, placement: Placement, product: Model) -> ImageSpec | NBCatalogError:
        """Return the spec of the text of ``placement`` on its next base, or of its adjustments of it; or why
        it is not possible."""
        spec, base = ImageSpec.of_image(placement.image.spec), placement.next_base
        assert base is not None  # noqa: S101 - only those that wait for one
        if spec.edit:
            adjustments = parse_adjustments(spec.edit["adjustments"])
            editor = AdjustmentPlanner(source=self.source, images=[base], adjustments=adjustments)
            return next(editor.for_block([product]).specs(product))
        copy = self.designs.copy_resolver(spec.deck).resolve(product, spec.locale)
        # Where layout or deck are gone, the words stay as they are.
        current = self.designs.current_spec(spec, copy) or spec
        if not isinstance(current, ImageSpec):
            return current
        slots = slots_for(self.source, placement.slot)
        return checked(typeset_on(base, current), base, checks=self.checks, slots=slots)

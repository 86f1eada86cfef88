"""Plans the text and the adjustments of published pictures on the finals that replace what is below them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Self

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.edits import AdjustmentPlanner
from nb_catalog.generation.lookups import USABLE_STATES
from nb_catalog.generation.planners import FreePlanner, plural_name, slots_for
from nb_catalog.generation.refresh import checked, typeset_on
from nb_catalog.generation.text_checks import TextChecks
from nb_catalog.generation.text_overlays import DesignCache
from nb_catalog.imaging.adjust import parse_adjustments
from nb_catalog.models import Placement, ProductImage
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import CatalogSource

BLOCK: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLinks:
    """Which pictures of some products were made from which: parents, drafts and digests by primary key, and
    the ``rows`` that were asked for, with those that they were made from."""

    parents: Mapping[int, int | None]
    drafts: Mapping[int, int | None]
    digests: Mapping[int, str]
    rows: Mapping[int, ProductImage]

    def family_of(self, final: int) -> set[int]:
        """Return the drafts of ``final`` and all other finals of these."""
        family: set[int] = set()
        key = self.drafts.get(final)
        while key is not None and key not in family:
            family.add(key)
            key = self.drafts.get(key)
        newest = set(family)
        while newest:
            newest = {key for key, draft in self.drafts.items() if draft in newest} - family
            family |= newest
        return family - {final}

    def steps_above(self, family: Collection[int], image: int) -> tuple[ProductImage, ...]:
        """Return what can be made of another picture of ``family``: the pictures from the one right above it
        to ``image``, adjustments without a model and text on them. Empty if ``image`` is not such a
        picture."""
        digests = {self.digests[key] for key in family if key in self.digests}
        steps: list[ProductImage] = []
        key: int | None = image
        while key is not None and key in self.rows and len(steps) < len(self.rows):
            step = self.rows[key]
            steps.append(step)
            made_from = _repeatable_on(step)
            if made_from in digests:
                return tuple(reversed(steps))
            if not made_from:
                break
            key = self.parents.get(key)
        return ()

    def is_above(self, family: Collection[int], image: int) -> bool:
        """Return whether ``image`` was made from a picture of ``family``, by whatever steps."""
        seen: set[int] = set()
        key = self.parents.get(image)
        while key is not None and key not in seen:
            if key in family:
                return True
            seen.add(key)
            key = self.parents.get(key)
        return False


def links_of(model: type[Model], keys: Sequence[str], *, pictures: Collection[int]) -> PictureLinks:
    """Return the links among the pictures of the products with ``keys``. Two queries."""
    about = ProductImage.objects.about_any(model, list(keys))
    columns = about.values_list("pk", "parent_id", "draft_id", "sha256")
    links = {key: rest for key, *rest in columns}
    parents = {key: parent for key, (parent, _draft, _digest) in links.items()}
    wanted: set[int] = set()
    for picture in pictures:
        key: int | None = picture
        while key is not None and key not in wanted:
            wanted.add(key)
            key = parents.get(key)
    return PictureLinks(
        parents=parents,
        drafts={key: draft for key, (_parent, draft, _digest) in links.items()},
        digests={key: digest for key, (_parent, _draft, digest) in links.items()},
        rows=ProductImage.objects.defer("provenance", "checks").in_bulk(wanted),
    )


def _repeatable_on(image: ProductImage) -> str:
    """Return the sha256 of the picture that text was put on, or that was adjusted without a model: what can
    be done to another one, too. "" for any other picture."""
    edit = image.spec.get("edit") or {}
    if edit:
        return str(edit.get("parent", "")) if "adjustments" in edit and not image.locale else ""
    return str(image.spec.get("base", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What is to be made next for a place: the spec, or why it is not possible. ``below`` are the pictures
    that were made for it already; ``is_last``: with this one, the place can follow its final."""

    spec: ImageSpec | NBCatalogError
    below: tuple[ProductImage, ...] = ()
    is_last: bool = True


@dataclass(frozen=True, kw_only=True)
class FinalTextPlanner(FreePlanner):
    """Typesets the text of placements that wait for a final below it: today's words in today's layouts. What
    was adjusted without a model, cropped for example, is adjusted again, and the text above it is set on
    that: one step after the other.

    With ``placements``, only those with these keys. ``waiting`` and ``links`` are set by ``for_block``. Text
    that a model painted is typeset.
    """

    designs: DesignCache
    placements: frozenset[int] | None = None
    waiting: Mapping[str, Sequence[Placement]] = field(default_factory=dict)
    links: PictureLinks | None = None
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
        """Return a copy with the placements of ``products`` that wait for text, and what their pictures
        were made from. Three queries."""
        keys = [str(product.pk) for product in products]
        rows = Placement.objects.about_any(self.source.model, keys).filter(
            next_base__pruned_at=None, next_base__isnull=False
        )
        if self.placements is not None:
            rows = rows.filter(pk__in=self.placements)
        waiting: dict[str, list[Placement]] = defaultdict(list)
        for placement in rows.select_related("image", "next_base").defer("picture_data"):
            waiting[placement.object_id].append(placement)
        pictures = {each.image_id for group in waiting.values() for each in group}
        links = links_of(self.source.model, list(waiting), pictures=pictures)
        return replace(self, waiting=waiting, links=links)

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        for placement in self.waiting.get(str(product.pk), ()):
            yield self.next_step(placement, product).spec

    def next_step(self, placement: Placement, product: Model) -> NextStep:
        """Return what is to be made next so that ``placement`` can follow its final. A query for each
        adjusted picture that text is above."""
        base = placement.next_base
        assert base is not None and self.links is not None  # noqa: S101 - only those that wait for one
        family = self.links.family_of(base.pk)
        steps = self.links.steps_above(family, placement.image_id) or (placement.image,)
        below: list[ProductImage] = []
        for step in steps[:-1]:
            spec = self._on(base, step, product, slot="")
            made = usable_picture(spec) if isinstance(spec, ImageSpec) else None
            if made is None:
                return NextStep(spec=spec, below=tuple(below), is_last=False)
            below.append(made)
            base = made
        spec = self._on(base, steps[-1], product, slot=placement.slot)
        return NextStep(spec=spec, below=tuple(below))

    def _on(
        self, base: ProductImage, step: ProductImage, product: Model, *, slot: str
    ) -> ImageSpec | NBCatalogError:
        """Return the spec of what ``step`` shows, its text or its adjustments, on ``base``; or why it is not
        possible."""
        spec = ImageSpec.of_image(step.spec)
        if spec.edit:
            adjustments = parse_adjustments(spec.edit["adjustments"])
            editor = AdjustmentPlanner(source=self.source, images=[base], adjustments=adjustments)
            return next(editor.for_block([product]).specs(product))
        copy = self.designs.copy_resolver(spec.deck).resolve(product, spec.locale)
        # Where layout or deck are gone, the words stay as they are.
        current = self.designs.current_spec(spec, copy) or spec
        if not isinstance(current, ImageSpec):
            return current
        slots = slots_for(self.source, slot)
        return checked(typeset_on(base, current), base, checks=self.checks, slots=slots)


def usable_picture(spec: ImageSpec) -> ProductImage | None:
    """Return the picture of ``spec`` if it can be used: an approved one rather than one that waits."""
    pictures = ProductImage.objects.filter(
        fingerprint=spec.fingerprint,
        kind=ImageKind.PICTURE,
        state__in=USABLE_STATES,
        pruned_at=None,
    )
    found = list(pictures.order_by("pk"))
    return max(found, key=lambda each: (USABLE_STATES.index(each.state), each.pk), default=None)

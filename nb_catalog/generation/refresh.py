"""Plans replacements of pictures with text: of painted text by typeset text, and of outdated ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Final, Self

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.copydecks.resolution import ResolvedCopy
from nb_catalog.core.slots import Slot
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Size
from nb_catalog.exceptions import (
    NBCatalogError,
    PictureMissing,
    RegistryError,
    RequestRefused,
)
from nb_catalog.generation.planners import FreePlanner, plural_name, slot_objections, slots_for
from nb_catalog.generation.text_checks import TextChecks, text_setting
from nb_catalog.generation.text_overlays import DesignCache, fields_from_base, typeset_fields
from nb_catalog.models import Placement, ProductImage
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import CatalogSource
from nb_catalog.typesetting.layouts import Layout

# Products whose published pictures are in memory together.
BLOCK: Final = 500

_OF_TEXT: Final = ("layout", "layout_version", "locale", "deck", "deck_version")

# An object's key and the sha256 of one of its pictures.
BaseKey = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class ReplacePaintedText(FreePlanner):
    """Typesets the text of ``images``, which a model painted, from the current layouts and decks.

    ``bases`` are set by ``for_block``.
    """

    designs: DesignCache
    images: Sequence[ProductImage]
    bases: Mapping[BaseKey, ProductImage] = field(default_factory=dict)
    checks: TextChecks = field(default_factory=TextChecks, compare=False)

    kind: ClassVar[str] = "replacement"
    per_product: ClassVar[int] = 1
    products_per_block: ClassVar[int] = BLOCK

    @property
    def source(self) -> CatalogSource:
        return self.designs.source

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        return replace(self, checks=TextChecks())

    @cached_property
    def painted(self) -> Mapping[str, Sequence[ImageSpec]]:
        """The specs of ``images``, by product."""
        specs: dict[str, list[ImageSpec]] = defaultdict(list)
        for image in self.images:
            specs[image.object_id].append(ImageSpec.of_image(image.spec))
        return specs

    def title(self) -> str:
        return _("%(what)s: words set instead of painted") % {"what": plural_name(self.source)}

    def as_request(self) -> dict[str, object]:
        return {
            "model": self.source.label,
            "exact": sorted(image.pk for image in self.images),
        }

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the base images of ``products``. One query."""
        specs = [spec for product in products for spec in self.painted.get(str(product.pk), ())]
        return replace(self, bases=base_images(self.source.model, specs))

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        for spec in self.painted.get(str(product.pk), ()):
            copy = self.designs.copy_resolver(spec.deck).resolve(product, spec.locale)
            current = self.designs.current_spec(spec, copy) or spec
            if isinstance(current, ImageSpec):
                yield checked(
                    as_typeset(current, self.bases),
                    self.bases.get((current.object_id, current.base)),
                    checks=self.checks,
                    slots=slots_for(self.source, ""),
                )
            else:
                yield current


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedText:
    """A published picture with text, and the spec that it would have today, or why there is none."""

    placement: Placement
    current: ImageSpec | NBCatalogError

    @property
    def is_stale(self) -> bool:
        if not isinstance(self.current, ImageSpec):
            return True
        return self.current.fingerprint != self.placement.image.fingerprint

    @property
    def is_untrue(self) -> bool:
        """Whether its texts differ, and not only their layout."""
        if not isinstance(self.current, ImageSpec):
            return True
        shown = ImageSpec.from_dict(self.placement.image.spec)
        return bool(self.current.renderer.get("texts") != shown.renderer.get("texts"))


@dataclass(frozen=True, kw_only=True)
class RefreshPlanner(FreePlanner):
    """Makes outdated published pictures again, with the same layouts on the same base images.

    Text that a model painted is typeset instead, which is free and exact. With ``placements``, only
    those with these keys. ``published``, ``bases`` and ``errors`` (by product) are set by ``for_block``.
    """

    designs: DesignCache
    placements: Collection[int] | None = None
    published: Mapping[str, Sequence[PublishedText]] = field(default_factory=dict)
    errors: Mapping[str, RegistryError] = field(default_factory=dict)
    bases: Mapping[BaseKey, ProductImage] = field(default_factory=dict)
    checks: TextChecks = field(default_factory=TextChecks, compare=False)

    kind: ClassVar[str] = "refresh"
    per_product: ClassVar[int] = 1
    products_per_block: ClassVar[int] = BLOCK

    @property
    def source(self) -> CatalogSource:
        return self.designs.source

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        return replace(self, checks=TextChecks())

    def title(self) -> str:
        return _("%(what)s: what is out of date") % {"what": plural_name(self.source)}

    def as_request(self) -> dict[str, object]:
        chosen = {} if self.placements is None else {"placements": sorted(self.placements)}
        return {"model": self.source.label, "renewal": True, **chosen}

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the published pictures of ``products`` and, for painted ones, their bases."""
        published: dict[str, list[PublishedText]] = defaultdict(list)
        outdated: list[ImageSpec] = []
        inspected, errors = self._inspect_each(products)
        for each in inspected:
            published[each.placement.object_id].append(each)
            if each.is_stale and isinstance(each.current, ImageSpec):
                outdated.append(each.current)
        bases = base_images(self.source.model, outdated)
        return replace(self, published=published, bases=bases, errors=errors)

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        if error := self.errors.get(str(product.pk)):
            raise error
        for each in self.published.get(str(product.pk), ()):
            if not each.is_stale:
                continue
            current = each.current
            image, slot = each.placement.image, each.placement.slot
            misfits = slot_objections(
                self.source, slot=slot, size=Size(image.width, image.height), has_words=True
            )
            if misfits:
                yield RequestRefused(*misfits)
            elif isinstance(current, ImageSpec):
                base = self.bases.get((current.object_id, current.base), image.parent)
                if current.paints_text:
                    current = as_typeset(current, self.bases)
                slots = slots_for(self.source, slot)
                yield checked(current, base, checks=self.checks, slots=slots)
            else:
                yield current

    def _inspect_each(
        self, products: Sequence[Model]
    ) -> tuple[list[PublishedText], dict[str, RegistryError]]:
        """Return the result of ``inspect``, and the errors of products whose texts cannot be read."""
        try:
            return list(self.inspect(products)), {}
        except RegistryError as error:
            if len(products) == 1:
                return [], {str(products[0].pk): error}
        inspected: list[PublishedText] = []
        errors: dict[str, RegistryError] = {}
        for product in products:
            texts, problems = self._inspect_each([product])
            inspected += texts
            errors |= problems
        return inspected, errors

    def inspect(self, products: Sequence[Model]) -> Iterator[PublishedText]:
        """Yield each published picture with text of ``products`` and the spec that it would have today."""
        by_key = {str(product.pk): product for product in products}
        placements = (
            Placement.objects.about_any(self.source.model, list(by_key))
            .filter(image__locale__gt="")
            .select_related("image__parent")
            .defer("image__parent__provenance", "image__parent__spec", "image__parent__checks")
        )
        if self.placements is not None:
            placements = placements.filter(pk__in=self.placements)
        copies: dict[tuple[str, str, str], ResolvedCopy] = {}
        for placement in placements:
            spec = ImageSpec.of_image(placement.image.spec)
            if not spec.base:
                continue
            key = (placement.object_id, spec.deck, spec.locale)
            if key not in copies:
                resolver = self.designs.copy_resolver(spec.deck)
                copies[key] = resolver.resolve(by_key[placement.object_id], spec.locale)
            current = self.designs.current_spec(spec, copies[key])
            if current is not None:
                yield PublishedText(placement=placement, current=current)


def base_images(model: type[Model], specs: Iterable[ImageSpec]) -> dict[BaseKey, ProductImage]:
    """Return the base images of those ``specs`` of ``model`` whose text was painted.

    Images whose file was deleted are left out.
    """
    wanted = {(spec.object_id, spec.base) for spec in specs if spec.paints_text}
    if not wanted:
        return {}
    rows = ProductImage.objects.about_any(model, [key for key, _digest in wanted]).filter(
        kind=ImageKind.PICTURE, pruned_at=None, sha256__in={digest for _key, digest in wanted}
    )
    return {(row.object_id, row.sha256): row for row in rows.order_by("pk")}


def checked(
    spec: ImageSpec | NBCatalogError,
    base: ProductImage | None,
    *,
    checks: TextChecks,
    slots: Iterable[Slot],
) -> ImageSpec | NBCatalogError:
    """Return ``spec``, or why its texts cannot be typeset on ``base`` or not be read in any of ``slots``."""
    if not isinstance(spec, ImageSpec) or base is None:
        return spec
    setting = text_setting(
        Layout.from_mapping(spec.renderer["layout"]),
        spec.renderer,
        locale=spec.locale,
        picture=Size(base.width, base.height),
    )
    # Sizes of a series are only the largest here: a true price is worth more than an equal size.
    return checks.problem(setting, layout=spec.layout, slots=slots, sizes={}) or spec


def as_typeset(
    painted: ImageSpec, bases: Mapping[BaseKey, ProductImage]
) -> ImageSpec | PictureMissing:
    """Return the spec that typesets the text of ``painted`` on its base image."""
    base = bases.get((painted.object_id, painted.base))
    if base is None:
        return PictureMissing(
            _("The picture without text below this one no longer exists. Generate it again.")
        )
    return typeset_on(base, painted)


def typeset_on(base: ProductImage, spec: ImageSpec) -> ImageSpec:
    """Return the spec that typesets the text of ``spec``, typeset or painted, on ``base``."""
    # Without what depends on the picture below the text.
    options = {
        key: value for key, value in spec.renderer.items() if key not in ("origin", "product")
    }
    return ImageSpec(
        **fields_from_base(base, label=spec.object_type),
        **typeset_fields(base, options),
        **{name: getattr(spec, name) for name in _OF_TEXT},
    )

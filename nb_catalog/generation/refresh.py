"""Plans replacements of pictures with text: of painted text by typeset text, and of outdated ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Final, Self

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.copydecks.resolution import ResolvedCopy
from nb_catalog.core.specs import ImageSpec
from nb_catalog.exceptions import NBCatalogError, PictureMissing
from nb_catalog.generation.planners import FreePlanner, plural_name
from nb_catalog.generation.text_overlays import DesignCache, typeset_fields
from nb_catalog.models import Placement, ProductImage
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import CatalogSource

# Assumed number of pictures with text per product; it sizes the plan's blocks.
MAX_PER_PRODUCT: Final = 20

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

    per_product: ClassVar[int] = 1
    max_per_product: ClassVar[int] = MAX_PER_PRODUCT

    @property
    def source(self) -> CatalogSource:
        return self.designs.source

    @cached_property
    def painted(self) -> Mapping[str, Sequence[ImageSpec]]:
        """The specs of ``images``, by product."""
        specs: dict[str, list[ImageSpec]] = defaultdict(list)
        for image in self.images:
            specs[image.object_id].append(ImageSpec.from_dict(image.spec))
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
            yield as_typeset(current, self.bases) if isinstance(current, ImageSpec) else current


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


@dataclass(frozen=True, kw_only=True)
class RefreshPlanner(FreePlanner):
    """Makes outdated published pictures again, with the same layouts on the same base images.

    Text that a model painted is typeset instead, which is free and exact. ``published`` and
    ``bases`` are set by ``for_block``.
    """

    designs: DesignCache
    published: Mapping[str, Sequence[PublishedText]] = field(default_factory=dict)
    bases: Mapping[BaseKey, ProductImage] = field(default_factory=dict)

    per_product: ClassVar[int] = 1
    max_per_product: ClassVar[int] = MAX_PER_PRODUCT

    @property
    def source(self) -> CatalogSource:
        return self.designs.source

    def title(self) -> str:
        return _("%(what)s: what is out of date") % {"what": plural_name(self.source)}

    def as_request(self) -> dict[str, object]:
        return {"model": self.source.label, "renewal": True}

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the published pictures of ``products`` and, for painted ones, their bases."""
        published: dict[str, list[PublishedText]] = defaultdict(list)
        outdated: list[ImageSpec] = []
        for each in self.inspect(products):
            published[each.placement.object_id].append(each)
            if each.is_stale and isinstance(each.current, ImageSpec):
                outdated.append(each.current)
        return replace(self, published=published, bases=base_images(self.source.model, outdated))

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        for each in self.published.get(str(product.pk), ()):
            if not each.is_stale:
                continue
            current = each.current
            if isinstance(current, ImageSpec) and current.paints_text:
                yield as_typeset(current, self.bases)
            else:
                yield current

    def inspect(self, products: Sequence[Model]) -> Iterator[PublishedText]:
        """Yield each published picture with text of ``products`` and the spec that it would have today."""
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


def as_typeset(
    painted: ImageSpec, bases: Mapping[BaseKey, ProductImage]
) -> ImageSpec | PictureMissing:
    """Return the spec that typesets the text of ``painted`` on its base image."""
    base = bases.get((painted.object_id, painted.base))
    if base is None:
        return PictureMissing(
            "The picture without text below this one no longer exists. Generate it again."
        )
    return replace(
        painted,
        **typeset_fields(base, painted.renderer),
        photo_version="",
        thinking="",
        pose="",
        prompt="",
        system="",
        canvas="",
        variant=1,
    )

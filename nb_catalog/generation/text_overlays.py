"""Plans text on existing pictures: which picture, which texts, which locale."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Final, NamedTuple, Self

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.copydecks.resolution import CopyResolver, ResolvedCopy
from nb_catalog.core.iteration import blocks
from nb_catalog.core.locales import parse_locale
from nb_catalog.core.specs import MAX_PHOTOS, ImageSpec
from nb_catalog.core.states import ImageState
from nb_catalog.core.text import nearest
from nb_catalog.core.types import OWN_PHOTO, Photo, Size, TextMethod, Treatment
from nb_catalog.exceptions import NBCatalogError, PictureMissing, RequestRefused
from nb_catalog.generation.lookups import USABLE_STATES
from nb_catalog.generation.planners import (
    FreePlanner,
    join_names,
    plural_name,
    slot_objections,
    slots_for,
)
from nb_catalog.generation.text_checks import TextChecks, TextSetting, series_sizes, text_setting
from nb_catalog.models import CopyDeck, ProductImage, TextLayout
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.typesetter import ALIAS
from nb_catalog.registry import CatalogSource
from nb_catalog.typesetting.layouts import Layout

# Products whose base images, one per scene, are in memory together.
BLOCK: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductInfo:
    """What a model is given of a product: photo, pose, title and facts."""

    photo: Photo | None = None
    pose: str = ""
    title: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


class Overlay(NamedTuple):
    """Texts by role in a locale, to be put on a base image in a layout."""

    base: ProductImage
    row: TextLayout
    locale: str
    texts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class TextPlanner(ABC):
    """Layouts and locales of one plan, on pictures in ``scenes``.

    ``scenes`` are keys, and ``OWN_PHOTO`` for the product's own photo; without any, whatever the product has
    a picture of is used. With
    ``slot``, only pictures published there are. ``bases`` are those pictures by product, set by
    ``for_block``. Texts come from ``deck``, and from the host for roles that the deck does not have.
    """

    source: CatalogSource
    layouts: tuple[TextLayout, ...]
    locales: tuple[str, ...]
    scenes: tuple[str, ...] = ()
    slot: str = ""
    deck: CopyDeck | None = None
    bases: Mapping[str, Sequence[ProductImage]] = field(default_factory=dict)

    kind: ClassVar[str] = "texts"

    @property
    def per_product(self) -> int:
        return len(self.layouts) * len(self.locales) * max(1, len(self.scenes))

    @property
    def products_per_block(self) -> int:
        return BLOCK

    @cached_property
    def parsed_layouts(self) -> Mapping[str, Layout]:
        return {row.key: row.layout for row in self.layouts}

    @cached_property
    def copy_resolver(self) -> CopyResolver:
        return CopyResolver(source=self.source, deck=self.deck)

    def title(self) -> str:
        return _("%(what)s: %(layouts)s (%(locales)s)") % {
            "what": plural_name(self.source),
            "layouts": join_names(row.name for row in self.layouts),
            "locales": join_names(self.locales),
        }

    def as_request(self) -> dict[str, object]:
        return {
            "model": self.source.label,
            "layouts": [row.key for row in self.layouts],
            "locales": list(self.locales),
            "scenes": list(self.scenes),
            "slot": self.slot,
            "deck": self.deck.key if self.deck else "",
        }

    def objections(self) -> Iterator[str]:
        slots = self.source.slot_table
        if self.slot and self.slot not in slots:
            yield _("The model has no slot %(slot)r.") % {"slot": self.slot} + nearest(
                self.slot, slots
            )
        elif not any(each.words for each in ([slots[self.slot]] if self.slot else slots.values())):
            if self.slot:
                refusal = _("The slot %(slot)r takes no pictures with text.") % {"slot": self.slot}
            else:
                refusal = _("No slot of the model takes pictures with text.")
            yield refusal + " " + _("Choose or declare a slot with words=True.")
        if not self.layouts:
            yield _("No layout was chosen. Choose at least one.")
        for row in self.layouts:
            try:
                Layout.from_mapping(row.content)
            except ValueError as error:
                yield _("The layout “%(name)s” is invalid. %(error)s") % {
                    "name": row.name,
                    "error": error,
                }
        for code in self.locales:
            try:
                parse_locale(code)
            except ValueError as error:
                yield str(error)

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the base images of ``products``. One query."""
        images = (
            ProductImage.objects.about_any(
                self.source.model, [str(product.pk) for product in products]
            )
            .filter(kind=ImageKind.PICTURE, locale="", pruned_at=None, state__in=USABLE_STATES)
            .select_related("parent")
            .defer("provenance", "parent__provenance", "parent__spec", "parent__checks")
        )
        if self.scenes:
            keys = ["" if scene == OWN_PHOTO else scene for scene in self.scenes]
            images = images.filter(scene__in=keys)
        if self.slot:
            images = images.filter(placements__slot=self.slot)
        bases: dict[str, dict[str, ProductImage]] = {}
        # The last one of a scene wins.
        for image in sorted(images, key=_preference):
            bases.setdefault(image.object_id, {})[image.scene] = image
        return replace(
            self, bases={key: tuple(by_scene.values()) for key, by_scene in bases.items()}
        )

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        """Yield the specs of one product's pictures, and an error for each that is not possible.

        Raises ``PictureMissing`` if there is no picture to put text on.
        """
        bases = self.bases.get(str(product.pk), ())
        if not bases:
            if self.slot:
                raise PictureMissing(
                    _(
                        "The product has no picture without text in %(slot)r. Publish one there first."
                    )
                    % {"slot": self.slot}
                )
            raise PictureMissing(
                _("The product has no picture yet to put text on. Generate one first.")
            )
        info = self.product_info(product)
        for overlay in self.overlays(product):
            if isinstance(overlay, NBCatalogError):
                yield overlay
                continue
            base, row, locale, texts = overlay
            size = self.overlay_size(base, self.parsed_layouts[row.key])
            if misfits := slot_objections(self.source, slot=self.slot, size=size, has_words=True):
                yield RequestRefused(*misfits)
            else:
                yield self.overlay_spec(base, row, texts=texts, locale=locale, info=info)

    def overlays(self, product: Model) -> Iterator[Overlay | NBCatalogError]:
        """Yield what is put on the pictures of ``product``, and an error for texts that do not exist."""
        bases = self.bases.get(str(product.pk), ())
        for locale in self.locales:
            copy = self.copy_resolver.resolve(product, locale)
            for row in self.layouts:
                layout = self.parsed_layouts[row.key]
                error = copy.layout_error(layout, name=row.name, locale=locale)
                for base in bases:
                    yield error or Overlay(base, row, locale, copy.for_layout(layout))

    def overlay_size(self, base: ProductImage, layout: Layout) -> Size | None:
        """Return the size in pixels of the picture with text; None if it is not known beforehand."""
        return layout.sheet_size(Size(base.width, base.height))

    def product_info(self, product: Model) -> ProductInfo:
        """Return what ``overlay_spec`` needs of ``product``, read once for all its pictures."""
        return ProductInfo()

    @abstractmethod
    def overlay_spec(
        self,
        base: ProductImage,
        row: TextLayout,
        *,
        texts: Mapping[str, str],
        locale: str,
        info: ProductInfo,
    ) -> ImageSpec | NBCatalogError:
        """Return the spec of ``texts`` (role -> text) on ``base``, or why it is not possible."""


@dataclass(frozen=True, kw_only=True)
class TypesetPlanner(TextPlanner, FreePlanner):
    """Text that is typeset, letter by letter.

    ``sizes`` are those of layouts with ``same_size``, by layout and role, and ``checks`` those of one pass
    over the plan; ``prepared`` sets both.
    """

    sizes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    checks: TextChecks = field(default_factory=TextChecks, compare=False)

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        rows = [row for row in self.layouts if self.parsed_layouts[row.key].same_size]
        settings: dict[str, list[TextSetting]] = {row.key: [] for row in rows}
        checks = TextChecks()
        for products in blocks(each_product(), size=self.products_per_block) if rows else ():
            block = replace(self, layouts=tuple(rows)).for_block(products)
            for overlay in (each for product in products for each in block.overlays(product)):
                if isinstance(overlay, Overlay):
                    setting = self._setting(overlay)
                    if checks.selects(setting, layout=overlay.row.key):
                        settings[overlay.row.key].append(setting)
        slots = slots_for(self.source, self.slot)
        sizes = {key: series_sizes(each, slots=slots) for key, each in settings.items()}
        return replace(self, sizes=sizes, checks=TextChecks())

    def _setting(self, overlay: Overlay) -> TextSetting:
        base = overlay.base
        return text_setting(
            self.parsed_layouts[overlay.row.key],
            {"texts": overlay.texts, "product": base.checks.get("product")},
            locale=overlay.locale,
            picture=Size(base.width, base.height),
        )

    def as_request(self) -> dict[str, object]:
        return {**super().as_request(), "text": TextMethod.SET.value}

    def overlay_spec(
        self,
        base: ProductImage,
        row: TextLayout,
        *,
        texts: Mapping[str, str],
        locale: str,
        info: ProductInfo,
    ) -> ImageSpec | NBCatalogError:
        sizes = self.sizes.get(row.key, {})
        sizes = {role: share for role, share in sizes.items() if role in texts}
        problem = self.checks.problem(
            self._setting(Overlay(base, row, locale, texts)),
            layout=row.key,
            slots=slots_for(self.source, self.slot),
            sizes=sizes,
        )
        if problem:
            return problem
        options = renderer_options(row, texts=texts, locale=locale)
        return ImageSpec(
            **fields_from_base(base, label=self.source.label),
            **fields_from_layout(row, locale=locale, deck=self.deck),
            **typeset_fields(base, {**options, "sizes": sizes} if sizes else options),
        )


def _preference(image: ProductImage) -> tuple[bool, int, int, int]:
    """Return a key by which the best base image of a scene is the largest: one of the product itself rather
    than of a variant, an approved one, of photos the first one of the product, and of those the newest."""
    is_photo = image.spec.get("treatment") == Treatment.PHOTO
    position = (int(image.spec.get("variant", 1)) - 1) % MAX_PHOTOS if is_photo else 0
    approved = USABLE_STATES.index(ImageState(image.state))
    return not image.variant, approved, -position, image.pk


def renderer_options(row: TextLayout, *, texts: Mapping[str, str], locale: str) -> dict[str, Any]:
    """Return the renderer's options for text, however it gets onto the picture."""
    return {"layout": row.content, "texts": texts, "locale": locale}


def fields_from_base(base: ProductImage, *, label: str) -> dict[str, Any]:
    """Return the fields of a spec with text that it shares with its base image."""
    spec: dict[str, Any] = base.spec
    return {
        "object_type": label,
        "object_id": base.object_id,
        "scene": base.scene,
        "scene_version": int(spec.get("scene_version", 0)),
        "treatment": str(spec.get("treatment", "")),
        "ratio": str(spec.get("ratio", "")),
        "base": base.sha256,
    }


def fields_from_layout(row: TextLayout, *, locale: str, deck: CopyDeck | None) -> dict[str, Any]:
    """Return the fields of a spec that say where its texts are placed and which deck they come from."""
    return {
        "layout": row.key,
        "layout_version": row.version,
        "locale": locale,
        "deck": deck.key if deck else "",
        "deck_version": deck.version if deck else 0,
    }


def typeset_fields(base: ProductImage, renderer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a spec that make the typesetter put text on ``base``.

    ``renderer`` is completed by the origin of ``base`` and the box of the product in it.
    """
    product = base.checks.get("product")
    return {
        "photo": base.file.name or "",
        "size": str(base.spec.get("size", "")),
        "provider": ALIAS,
        "model": ALIAS,
        "renderer": {
            **renderer,
            "origin": base.digital_source_type,
            **({"product": product} if product else {}),
        },
    }


class DesignCache:
    """Layouts, copy decks and the decks' texts, each read once for a whole plan."""

    def __init__(self, source: CatalogSource) -> None:
        self.source = source
        self._resolvers: dict[str, CopyResolver] = {}

    @cached_property
    def layouts(self) -> Mapping[str, TextLayout]:
        return {row.key: row for row in TextLayout.objects.all()}

    @cached_property
    def decks(self) -> Mapping[str, CopyDeck]:
        return {deck.key: deck for deck in CopyDeck.objects.all()}

    def copy_resolver(self, deck: str) -> CopyResolver:
        """Return the resolver for the deck with key ``deck``; for "", that of the host's own copy."""
        if deck not in self._resolvers:
            self._resolvers[deck] = CopyResolver(source=self.source, deck=self.decks.get(deck))
        return self._resolvers[deck]

    def current_spec(
        self, spec: ImageSpec, copy: ResolvedCopy
    ) -> ImageSpec | NBCatalogError | None:
        """Return ``spec`` with the current ``copy`` in the current layout, or why it is not possible.

        None if the layout or the deck no longer exists: there is nothing to compare with.
        """
        row = self.layouts.get(spec.layout)
        if row is None or (spec.deck and spec.deck not in self.decks):
            return None
        try:
            layout = row.layout
        except ValueError:
            return None
        error = copy.layout_error(layout, name=row.name, locale=spec.locale)
        renderer = {**spec.renderer, "layout": row.content, "texts": copy.for_layout(layout)}
        if not layout.same_size:
            renderer.pop("sizes", None)
        return error or replace(
            spec,
            renderer=renderer,
            layout_version=row.version,
            deck_version=self.decks[spec.deck].version if spec.deck else 0,
        )

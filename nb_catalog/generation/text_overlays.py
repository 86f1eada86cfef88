"""From a product to the recipes of its pictures with words: which picture, which words, which locale;
set by the typesetter, or painted by a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from django.db.models import Model

from nb_catalog.copydecks.resolution import CopyResolver
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Photo
from nb_catalog.exceptions import NBCatalogError, PictureMissing
from nb_catalog.generation.free_planner import FreePlanner
from nb_catalog.models import CopyDeck, ProductImage, TextLayout
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.typesetter import ALIAS
from nb_catalog.registry import CatalogSource
from nb_catalog.typesetting.layouts import Layout

# Scenes that one product has pictures in, where nobody says which: bounds what is looked up at once.
MOST_SCENES: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductInfo:
    """A product, as a model is told of it."""

    photo: Photo | None = None
    pose: str = ""
    title: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TextPlanner(ABC):
    """Layouts and locales of one plan, on pictures in ``scenes`` (keys; none: in every scene that
    the product has a picture of), with ``slot`` only on those that are published there. ``bases`` are
    those pictures by product, once they are looked up.

    The words are the deck's, and the shop's own where it has none for a role.
    """

    source: CatalogSource
    layouts: tuple[TextLayout, ...]
    locales: tuple[str, ...]
    scenes: tuple[str, ...] = ()
    slot: str = ""
    deck: CopyDeck | None = None
    bases: Mapping[str, Sequence[ProductImage]] = field(default_factory=dict)

    @property
    def each(self) -> int:
        """Pictures per product and scene."""
        return len(self.layouts) * len(self.locales) * max(1, len(self.scenes))

    @property
    def most_each(self) -> int:
        """At most: a product may have pictures in any number of scenes."""
        return len(self.layouts) * len(self.locales) * (len(self.scenes) or MOST_SCENES)

    @cached_property
    def _read(self) -> Mapping[str, Layout]:
        return {row.key: row.layout for row in self.layouts}

    def for_block(self, products: Sequence[Model]) -> TextPlanner:
        """It with the pictures of ``products`` looked up, in one query."""
        found: dict[str, dict[str, ProductImage]] = {}
        pictures = (
            ProductImage.objects.about_any(
                self.source.model, [str(product.pk) for product in products]
            )
            .filter(kind=ImageKind.PICTURE, locale="", pruned_at=None, state__in=_STANDING)
            .select_related("parent")
            .defer("provenance", "parent__provenance", "parent__spec", "parent__checks")
        )
        if self.scenes:
            pictures = pictures.filter(scene__in=self.scenes)
        if self.slot:
            pictures = pictures.filter(placements__slot=self.slot)
        # What comes last stays: an approved one, and of those the newest.
        for picture in sorted(pictures, key=lambda each: (_STANDING.index(each.state), each.pk)):
            found.setdefault(picture.object_id, {})[picture.scene] = picture
        return replace(
            self, bases={key: tuple(by_scene.values()) for key, by_scene in found.items()}
        )

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        """The recipes of one product's pictures, and why others are not possible.

        Raises ``PictureMissing`` when there is nothing to set words on.
        """
        bases = self.bases.get(str(product.pk), ())
        if not bases:
            raise PictureMissing(self._nothing())
        about = self._about(product)
        for locale in self.locales:
            copy = self._wording.copy(product, locale)
            for row in self.layouts:
                layout = self._read[row.key]
                missing = copy.missing_for(layout, name=row.name, locale=locale)
                for base in bases:
                    yield missing or self._spec(
                        about, base, row, texts=copy.shown_by(layout), locale=locale
                    )

    def _nothing(self) -> str:
        if self.slot:
            return f"The product has no picture without words in {self.slot!r}. Publish one there first."
        return "The product has no picture yet that words could be set on. Generate one first."

    @cached_property
    def _wording(self) -> CopyResolver:
        return CopyResolver(source=self.source, deck=self.deck)

    def _about(self, product: Model) -> ProductInfo:
        """What has to be known of ``product`` itself, once for all its pictures."""
        return ProductInfo()

    @abstractmethod
    def _spec(
        self,
        about: ProductInfo,
        base: ProductImage,
        row: TextLayout,
        *,
        texts: Mapping[str, str],
        locale: str,
    ) -> ImageSpec | NBCatalogError:
        """The recipe of ``texts`` (role -> text) on ``base``, or why there is none."""


@dataclass(frozen=True, kw_only=True)
class TypesetPlanner(FreePlanner, TextPlanner):
    """Words that are set, letter by letter."""

    def _spec(
        self,
        about: ProductInfo,
        base: ProductImage,
        row: TextLayout,
        *,
        texts: Mapping[str, str],
        locale: str,
    ) -> ImageSpec:
        return typeset_over(
            base, row, label=self.source.label, texts=texts, locale=locale, deck=self.deck
        )


def typeset_over(
    base: ProductImage,
    row: TextLayout,
    *,
    label: str,
    texts: Mapping[str, str],
    locale: str,
    deck: CopyDeck | None,
) -> ImageSpec:
    """The recipe of ``texts`` (role -> text) set on ``base``, a picture of an object of the model
    ``label``, in the layout of ``row``."""
    renderer = {
        **renderer_options(row, texts=texts, locale=locale),
        "origin": base.digital_source_type,
    }
    if product := base.checks.get("product"):
        renderer["product"] = product
    return ImageSpec(
        **fields_from_base(base, label=label),
        **fields_from_layout(row, locale=locale, deck=deck),
        photo=base.file.name or "",
        size=str(base.spec.get("size", "")),
        provider=ALIAS,
        model=ALIAS,
        renderer=renderer,
    )


def renderer_options(row: TextLayout, *, texts: Mapping[str, str], locale: str) -> dict[str, Any]:
    """What a renderer is told of words, however they get onto the picture."""
    return {"layout": row.content, "texts": texts, "locale": locale}


def fields_from_base(base: ProductImage, *, label: str) -> dict[str, Any]:
    """Fields of a recipe that a picture with words has from the one without them."""
    made_from: dict[str, Any] = base.spec
    return {
        "object_type": label,
        "object_id": base.object_id,
        "scene": base.scene,
        "scene_version": int(made_from.get("scene_version", 0)),
        "treatment": str(made_from.get("treatment", "")),
        "ratio": str(made_from.get("ratio", "")),
        "base": base.sha256,
    }


def fields_from_layout(row: TextLayout, *, locale: str, deck: CopyDeck | None) -> dict[str, Any]:
    """Fields of a recipe that say whose words they are, and where they stand."""
    return {
        "layout": row.key,
        "layout_version": row.version,
        "locale": locale,
        "deck": deck.key if deck else "",
        "deck_version": deck.version if deck else 0,
    }


_STANDING: Final = (ImageState.PENDING, ImageState.APPROVED)

"""Plans the products' own photos as pictures: to be published, cropped, or given text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Self

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.core.attributes import host_code
from nb_catalog.core.slots import aspect_of
from nb_catalog.core.specs import MAX_PHOTOS, ImageSpec
from nb_catalog.core.types import Treatment
from nb_catalog.exceptions import (
    NBCatalogError,
    PictureError,
    PictureMissing,
    RequestRefused,
)
from nb_catalog.generation.photos import SECONDS, PhotoReader
from nb_catalog.generation.planners import FreePlanner, plural_name, slot_objections
from nb_catalog.providers.photo import ALIAS
from nb_catalog.registry import CatalogSource

# Seconds to make one picture on one core: a camera's photo is decoded twice.
SECONDS_EACH: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class PhotoPlanner(FreePlanner):
    """The first photo of each product as a picture, or ``every`` one of them as variants.

    ``ratio`` crops them; with "" they keep their own. ``slot`` is where they are to be published: they
    must fit it. A pass over the plan spends ``photo_seconds`` on photos that were not seen before, and
    has its own ``reader``, which ``prepared`` sets.
    """

    source: CatalogSource
    ratio: str = ""
    slot: str = ""
    every: bool = False
    photo_seconds: float = SECONDS
    reader: PhotoReader = field(default_factory=PhotoReader, compare=False)

    kind: ClassVar[str] = "photos"
    alias: ClassVar[str] = ALIAS
    seconds_each: ClassVar[float] = SECONDS_EACH
    per_product: ClassVar[int] = 1
    products_per_block: ClassVar[int] = 1000  # their photos, which are prefetched with them

    def title(self) -> str:
        names = {"what": plural_name(self.source), "ratio": self.ratio}
        if self.ratio:
            return _("%(what)s: the photos themselves, %(ratio)s") % names
        return _("%(what)s: the photos themselves") % names

    def as_request(self) -> dict[str, object]:
        return {
            "model": self.source.label,
            "ratio": self.ratio,
            "slot": self.slot,
            "every": self.every,
        }

    def objections(self) -> Iterator[str]:
        try:
            if self.ratio:
                aspect_of(self.ratio)
        except ValueError:
            yield _("%(ratio)r is not a ratio. Write two numbers such as 4:5.") % {
                "ratio": self.ratio
            }
        yield from slot_objections(self.source, slot=self.slot, size=None, has_words=False)

    def prepared(self, each_product: Callable[[], Iterable[Model]]) -> Self:
        return replace(self, reader=PhotoReader(self.photo_seconds))

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return itself: the products' photos are prefetched with the products."""
        return self

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        """Yield the specs of one product's pictures, and an error for each photo that cannot be one.

        Raises ``PictureMissing`` without a photo.
        """
        with host_code(f"{type(self.source).__name__}.photos()"):
            photos = self.source.photos(product)
        if not photos:
            raise PictureMissing(_("The product has no photo. Upload one."))
        for position, photo in enumerate(photos[: MAX_PHOTOS if self.every else 1], start=1):
            try:
                size = self.reader.picture_size(photo, ratio=self.ratio)
            except PictureError as error:
                yield error
                continue
            if size is not None and self.slot:
                misfits = slot_objections(self.source, slot=self.slot, size=size, has_words=False)
                if misfits:
                    yield RequestRefused(*misfits)
                    continue
            yield ImageSpec(
                object_type=self.source.label,
                object_id=str(product.pk),
                photo=photo.name,
                photo_version=photo.version,
                scene="",
                scene_version=0,
                treatment=Treatment.PHOTO.value,
                ratio=self.ratio,
                size="",
                provider=ALIAS,
                model=ALIAS,
                variant=position,
            )

    def warnings(self, product: Model) -> Iterator[str]:
        """Yield that the first photo fits no slot as it is, if no slot was named: with a layout that
        puts it on a larger sheet, it may."""
        photos = self.source.photos(product)
        if self.slot or not photos:
            return
        try:
            size = self.reader.picture_size(photos[0], ratio=self.ratio)
        except PictureError:
            return
        if size and slot_objections(self.source, slot="", size=size, has_words=False):
            yield _(
                "The picture fits none of the slots without text. Choose a slot to have it cropped, or a "
                "layout with a ratio of its own."
            )

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the spec of the same photo once more: it was rejected, and is asked for again."""
        return replace(spec, variant=spec.variant + MAX_PHOTOS)

"""Published pictures in Wagtail's image library, where editors choose them for pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from nb_catalog.models import GalleryDelivery
from nb_catalog.publishing.galleries import Gallery, GalleryPicture
from nb_catalog.publishing.galleries.base import fitted
from nb_catalog.registry import CatalogSource

__all__ = ["ImageLibraryGallery"]

# Of every image model; a model of the site's own may lack the others.
_TITLE, _FILE = "title", "file"
_FOCAL_POINT = ("focal_point_x", "focal_point_y", "focal_point_width", "focal_point_height")


def image_model() -> type[Model]:
    # By its name: galleries are declared, and documented, where Wagtail may not be installed.
    return apps.get_model(getattr(settings, "WAGTAILIMAGES_IMAGE_MODEL", "wagtailimages.Image"))


class ImageLibraryGallery(Gallery):
    """Add published pictures to the image library, each as an image of its own.

    Its title is the product's, its description the alternative text, and its focal point the product's place
    on the picture, as far as it is known. A new image gets the ``tags``, and goes into the ``collection`` of
    this name, which is created below the root if there is none. Editors may move and tag it.
    A newer picture of the same place replaces the file of its image, so that pages which show it follow.
    """

    creates_rows = True
    unwatched = ("collection", "file_size", "file_hash")

    def __init__(
        self,
        *,
        slots: Sequence[str],
        collection: str = "",
        tags: Sequence[str] = (),
        locales: Sequence[str] = ("",),
        key: str = "wagtail",
    ) -> None:
        super().__init__(key=key, slots=slots, locales=locales)
        self.collection, self.tags = collection, tuple(tags)

    def row_model(self, model: type[Model]) -> type[Model]:
        return image_model()

    def file_field(self, locale: str) -> str:
        return _FILE

    def new_row(self, product: Model) -> Model:
        row = image_model()()
        if self.collection:
            collections: Any = image_model()._meta.get_field("collection").related_model
            collection = collections.objects.filter(name=self.collection).first()
            if collection is None:
                root = collections.get_first_root_node()
                collection = root.add_child(instance=collections(name=self.collection))
            setattr(row, "collection", collection)  # noqa: B010 - known to Wagtail only
        return row

    def values(self, picture: GalleryPicture) -> Mapping[str, Any]:
        model, box = image_model(), picture.product_box
        numbers: tuple[int | None, ...] = (None,) * 4
        if box is not None:
            centre = (box.left + box.right) // 2, (box.top + box.bottom) // 2
            numbers = (*centre, box.right - box.left, box.bottom - box.top)
        return {
            _TITLE: fitted(model, _TITLE, picture.title),
            "description": fitted(model, "description", picture.alt),
            **dict(zip(_FOCAL_POINT, numbers, strict=True)),
        }

    def save(self, row: Any, fields: Sequence[str] | None) -> None:
        # Wagtail computes both again when it needs them.
        row.file_size, row.file_hash = None, ""
        if fields is None:
            row.save()
            row.tags.add(*self.tags)
            return
        row.save(update_fields=[*fields, "file_size", "file_hash"])
        # Those of the file before.
        row.renditions.all().delete()

    def owns(self, model: type[Model]) -> bool:
        image: Any = image_model()
        return super().owns(model) or model is image.get_rendition_model()

    def users_of(self, row: Any) -> list[str]:
        """Return the pages and snippets that show the image, also in StreamField blocks and rich text."""
        # Wagtail's index of references may lag behind foreign keys.
        return [str(user) for user, _references in row.get_usage()] or super().users_of(row)

    def problems(self, source: CatalogSource) -> Iterator[tuple[str, str]]:
        if not apps.is_installed("wagtail.images"):
            yield "needs Wagtail's image library.", "Add wagtail.images to INSTALLED_APPS."

    def chooser_value(
        self, product: Model, *, slot: str, locale: str = "", position: int = 0
    ) -> int | None:
        """Return the key of the image that a place of ``product`` was delivered as, None if it was not yet:
        what a foreign key to the image and an ``ImageChooserBlock`` store."""
        rows = GalleryDelivery.objects.about(product).filter(gallery=self.key)
        row = rows.filter(slot=slot, locale=locale, position=position).first()
        return int(row.written["row"]) if row is not None and row.written else None

    def block_value(
        self, product: Model, *, slot: str, locale: str = "", position: int = 0
    ) -> dict[str, Any] | None:
        """Return what an ``ImageBlock`` stores, with the alternative text; None if nothing was delivered."""
        key = self.chooser_value(product, slot=slot, locale=locale, position=position)
        image: Any = key and image_model()._default_manager.filter(pk=key).first()
        if not image:
            return None
        return {"image": image.pk, "alt_text": image.description, "decorative": False}

"""Published pictures of a series, for lookbook pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Model

from nb_catalog.models import Placement, Series
from nb_catalog.registry import is_registered, source_for
from nb_catalog.storefront.api import picture_for, prefetch_catalog_images
from nb_catalog.storefront.picture import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesEntry:
    """A product of a series and its published picture."""

    product: Model
    picture: Picture


class SeriesPage(list[SeriesEntry]):
    """The entries of a lookbook page. A template that escapes renders it as the pictures alone."""

    def __html__(self) -> str:
        return "".join(entry.picture.__html__() for entry in self)


def series_for(key: str, *, locale: str | None = None, limit: int | None = None) -> SeriesPage:
    """Return the members of the series ``key`` whose pictures of it are published, in their order.

    At most ``limit`` of them. Members that the public may not see are left out, and those whose place shows a
    picture of something else. Empty if there is no such series. A constant number of queries.
    """
    series = Series.objects.filter(key=key, is_active=True).select_related("content_type").first()
    model = series.content_type.model_class() if series else None
    if series is None or model is None or not is_registered(model):
        return SeriesPage()
    places = Placement.objects.filter(
        content_type_id=series.content_type_id, slot=series.slot, image__series=series.key
    )
    images: dict[str, set[int]] = {}
    for object_id, image_id in places.order_by().values_list("object_id", "image_id"):
        images.setdefault(object_id, set()).add(image_id)
    members = series.members.filter(removed_at=None).order_by("position", "pk")
    keys = [each for each in members.values_list("object_id", flat=True) if each in images]
    rows = {str(row.pk): row for row in source_for(model).visible().filter(pk__in=keys[:limit])}
    products = [rows[each] for each in keys[:limit] if each in rows]
    page = SeriesPage()
    for product in prefetch_catalog_images(products, slots=[series.slot], locale=locale):
        picture = picture_for(product, series.slot, locale=locale)
        if picture is not None and picture.image_id in images[str(product.pk)]:
            page.append(SeriesEntry(product=product, picture=picture))
    return page

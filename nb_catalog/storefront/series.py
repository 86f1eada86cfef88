"""Published pictures of a series, for lookbook pages."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Model

from nb_catalog.models import Placement, Series
from nb_catalog.models.generic import object_key
from nb_catalog.registry import is_registered, source_for
from nb_catalog.storefront.api import picture_for, prefetch_catalog_images
from nb_catalog.storefront.picture import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesEntry:
    """A product of a series and its published picture. ``variant`` is the key of the variant that it shows,
    and ``variant_name`` its name; both are "" for the product itself."""

    product: Model
    picture: Picture
    variant: str = ""
    variant_name: str = ""


class SeriesPage(list[SeriesEntry]):
    """The entries of a lookbook page. A template that escapes renders it as the pictures alone."""

    def __html__(self) -> str:
        return "".join(entry.picture.__html__() for entry in self)


def series_for(
    key: str,
    *,
    locale: str | None = None,
    limit: int | None = None,
    product: Model | None = None,
) -> SeriesPage:
    """Return the members of the series ``key`` whose pictures of it are published, in their order.

    At most ``limit`` of them, or only ``product`` and its variants. Members that the public may not see are
    left out, and those whose place shows a picture of something else. Empty if there is no such series. A
    constant number of queries.
    """
    series = Series.objects.filter(key=key, is_active=True).select_related("content_type").first()
    model = series.content_type.model_class() if series else None
    if series is None or model is None or not is_registered(model):
        return SeriesPage()
    places = Placement.objects.filter(
        content_type_id=series.content_type_id, slot=series.slot, image__series=series.key
    )
    members = series.members.filter(removed_at=None).order_by("position", "pk")
    if product is not None:
        type_id, object_id = object_key(product)
        if type_id != series.content_type_id:
            return SeriesPage()
        places, members = places.filter(object_id=object_id), members.filter(object_id=object_id)
    # Member -> position in the slot -> the pictures of it that are published there, in any language.
    images: dict[tuple[str, str], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    columns = ("object_id", "image__variant", "position", "image_id")
    for object_id, variant, position, image_id in places.order_by("position").values_list(*columns):
        images[object_id, variant][position].add(image_id)
    names = members.values_list("object_id", "variant", "variant_name")
    shown = [each for each in names if (each[0], each[1]) in images][:limit]
    rows = source_for(model).visible().filter(pk__in={object_id for object_id, *_name in shown})
    products = {str(row.pk): row for row in rows}
    fetched = list(products.values())
    prefetch_catalog_images(fetched, slots=[series.slot], locale=locale)
    page = SeriesPage()
    for object_id, variant, name in shown:
        if (row := products.get(object_id)) is None:
            continue
        for position, published in images[object_id, variant].items():
            picture = picture_for(row, series.slot, locale=locale, position=position)
            if picture is not None and picture.image_id in published:
                page.append(
                    SeriesEntry(product=row, picture=picture, variant=variant, variant_name=name)
                )
                break
    return page

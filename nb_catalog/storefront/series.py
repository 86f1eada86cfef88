"""Published pictures of a series, for lookbook pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Model

from nb_catalog.core.iteration import blocks
from nb_catalog.models import Placement, ProductImage, Series
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import object_key
from nb_catalog.registry import is_registered, source_for
from nb_catalog.storefront.api import picture_for, prefetch_catalog_images
from nb_catalog.storefront.moments import current_moment
from nb_catalog.storefront.picture import Picture
from nb_catalog.storefront.timeline import shown_at

# Members whose places are looked up together in a preview.
BLOCK: Final = 500


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

    In a preview of a moment that has passed, these are the members of that moment, in today's order. At most
    ``limit`` of them, or only ``product`` and its variants. Members that the public may not see are left out,
    and those whose place shows a picture of something else. Empty if there is no such series. A constant
    number of queries; in a preview, for each ``BLOCK`` of members.
    """
    series = Series.objects.filter(key=key, is_active=True).select_related("content_type").first()
    model = series.content_type.model_class() if series else None
    if series is None or model is None or not is_registered(model):
        return SeriesPage()
    moment = current_moment()
    members = series.members.order_by("position", "pk")
    if product is not None:
        type_id, object_id = object_key(product)
        if type_id != series.content_type_id:
            return SeriesPage()
        members = members.filter(object_id=object_id)
    if moment is None or moment > database_now():
        members_then = list(members.filter(removed_at=None))
    else:
        members_then = [each for each in members if each.was_member_at(moment)]
    # Member -> position in the slot -> the pictures of it that are published there, in any language.
    images: dict[tuple[str, str], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for object_id, variant, position, image_id in _pictures(
        series, {each.object_id for each in members_then}, moment=moment
    ):
        images[object_id, variant][position].add(image_id)
    shown = [
        (each.object_id, each.variant, each.variant_name)
        for each in members_then
        if (each.object_id, each.variant) in images
    ][:limit]
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


def _pictures(
    series: Series, object_ids: Collection[str], *, moment: datetime | None
) -> Iterator[tuple[str, str, int, int]]:
    """Yield the pictures of ``series`` that are shown at ``moment``, None for now: the products of
    ``object_ids``, the variants, the positions, and the pictures themselves, by their positions."""
    if moment is None:
        places = Placement.objects.filter(
            content_type_id=series.content_type_id, slot=series.slot, image__series=series.key
        )
        if len(object_ids) <= 1:
            places = places.filter(object_id__in=object_ids)
        columns = ("object_id", "image__variant", "position", "image_id")
        yield from places.order_by("position").values_list(*columns)
        return
    for block in blocks(sorted(object_ids), size=BLOCK):
        keys = [(series.content_type_id, object_id) for object_id in block]
        shown = shown_at(keys, moment=moment, slots=[series.slot])
        images = ProductImage.objects.filter(
            pk__in={each.image_id for each in shown}, series=series.key
        )
        variants = dict(images.values_list("pk", "variant"))
        for each in sorted(shown, key=lambda each: each.position):
            if each.image_id in variants:
                yield each.object_id, variants[each.image_id], each.position, each.image_id

"""Places as the pages of publications list them: the product, what is shown there, and what will be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite

from nb_catalog.admin import catalog_objects, thumbnails
from nb_catalog.admin.formatting import name_of_place
from nb_catalog.models import Placement, ProductImage
from nb_catalog.publishing.places import PlaceKey, columns


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureShown:
    pk: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRow:
    """A place, what it shows ``now`` and ``then``, None for nothing, and a ``problem``."""

    product: Any
    place: str
    now: PictureShown | None
    then: PictureShown | None
    problem: str = ""

    @property
    def is_changed(self) -> bool:
        return self.now != self.then


def place_rows(
    changes: Iterable[tuple[PlaceKey, int | None, int | None, str]], *, site: AdminSite
) -> Sequence[PlaceRow]:
    """Return a row for each (place, picture now, picture then, problem). A constant number of queries."""
    changes = list(changes)
    keys = {pk for _key, now, then, _problem in changes for pk in (now, then) if pk is not None}
    images = ProductImage.objects.filter(pk__in=keys).defer("spec", "checks", "provenance")
    shown = {
        image.pk: PictureShown(pk=image.pk, url=thumbnails.thumbnail_url(image, site=site))
        for image in images.prefetch_related(thumbnails.RENDITIONS)
    }
    rows = [Placement(**columns(key)) for key, *_rest in changes]
    catalog_objects.attach_info(rows, site=site)
    return [
        PlaceRow(
            product=row.object_info,
            place=name_of_place(row),
            now=None if now is None else shown.get(now),
            then=None if then is None else shown.get(then),
            problem=problem,
        )
        for row, (_key, now, then, problem) in zip(rows, changes, strict=True)
    ]

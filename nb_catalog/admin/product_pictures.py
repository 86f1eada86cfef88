"""What the host's list of products shows of their pictures: the newest one, and how many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.db.models import Count, Max, Model
from django.utils.formats import number_format
from django.utils.translation import gettext

from nb_catalog.admin import thumbnails
from nb_catalog.core.states import ImageState
from nb_catalog.models import Placement, ProductImage
from nb_catalog.models.generic import ObjectKey, content_type_of
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import subject_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturesOfProduct:
    """``thumbnail_url`` is that of the newest approved picture, otherwise of the newest one that waits for
    review; empty if there is neither."""

    thumbnail_url: str = ""
    waiting: int = 0
    approved: int = 0
    published: int = 0

    @property
    def counts(self) -> str:
        """The numbers that are not 0, in words, each of which stays on a line."""
        texts = (
            (self.published, gettext("%(number)s published")),
            (self.approved, gettext("%(number)s approved")),
            (self.waiting, gettext("%(number)s to review")),
        )
        return " · ".join(
            (text % {"number": number_format(number, force_grouping=True)}).replace(
                " ", "\N{NO-BREAK SPACE}"
            )
            for number, text in texts
            if number
        )


def pictures_of_products(
    products: Iterable[Model], *, site: AdminSite
) -> Mapping[Model, PicturesOfProduct]:
    """Return the pictures of each of ``products``, which are registered. Four queries."""
    keys: dict[Model, ObjectKey] = {}
    for product in products:
        subject = subject_of(product)
        keys[product] = (content_type_of(subject).pk, str(subject.pk))
    counts: dict[ObjectKey, dict[str, int]] = defaultdict(dict)
    newest: dict[ObjectKey, dict[str, int]] = defaultdict(dict)
    images = ProductImage.objects.about_keys(keys.values()).filter(
        kind=ImageKind.PICTURE, state__in=(ImageState.PENDING, ImageState.APPROVED), pruned_at=None
    )
    grouped = images.order_by().values_list("content_type_id", "object_id", "state")
    for type_id, key, state, number, last in grouped.annotate(Count("pk"), Max("pk")):
        counts[type_id, key][state], newest[type_id, key][state] = number, last
    placements = Placement.objects.about_keys(keys.values()).order_by()
    published = {
        (type_id, key): number
        for type_id, key, number in placements.values_list("content_type_id", "object_id").annotate(
            Count("pk")
        )
    }
    shown = {
        key: states.get(ImageState.APPROVED) or states[ImageState.PENDING]
        for key, states in newest.items()
    }
    rows = ProductImage.objects.filter(pk__in=shown.values()).only("pk", "sha256")
    urls = {
        row.pk: thumbnails.thumbnail_url(row, site=site)
        for row in rows.prefetch_related(thumbnails.RENDITIONS)
    }
    return {
        product: PicturesOfProduct(
            thumbnail_url=urls.get(shown.get(key, 0), ""),
            waiting=counts[key].get(ImageState.PENDING, 0),
            approved=counts[key].get(ImageState.APPROVED, 0),
            published=published.get(key, 0),
        )
        for product, key in keys.items()
    }

"""The queue of the review page, walked by key: decisions that empty it do not move what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from nb_catalog.models import ProductImage

PER_PAGE: Final = 24
# Pictures of one product follow each other; the last field makes the order total.
ORDER: Final = ("content_type_id", "object_id", "scene", "id")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePart:
    """Consecutive pictures of the queue. ``has_earlier`` and ``has_later``: whether there are more."""

    images: Sequence[ProductImage]
    has_earlier: bool
    has_later: bool


def part_of(
    rows: QuerySet[ProductImage], *, after: int | None = None, before: int | None = None
) -> QueuePart:
    """Return the first pictures of ``rows``, or those after or before the picture with a key.

    That picture may have left the queue meanwhile. If it does not exist, the queue begins again.
    """
    limit = ProductImage.objects.filter(pk=after or before or 0).values_list(*ORDER).first()
    if limit is None:
        images = list(rows.order_by(*ORDER)[: PER_PAGE + 1])
        return QueuePart(
            images=images[:PER_PAGE], has_earlier=False, has_later=len(images) > PER_PAGE
        )
    if after is not None:
        images = list(rows.filter(_beyond(limit, "gt")).order_by(*ORDER)[: PER_PAGE + 1])
        has_earlier = rows.filter(_beyond(limit, "lt") | Q(pk=limit[-1])).exists()
        return QueuePart(
            images=images[:PER_PAGE], has_earlier=has_earlier, has_later=len(images) > PER_PAGE
        )
    reverse = [f"-{name}" for name in ORDER]
    images = list(rows.filter(_beyond(limit, "lt")).order_by(*reverse)[: PER_PAGE + 1])
    has_later = rows.filter(_beyond(limit, "gt") | Q(pk=limit[-1])).exists()
    return QueuePart(
        images=images[:PER_PAGE][::-1], has_earlier=len(images) > PER_PAGE, has_later=has_later
    )


def _beyond(limit: Sequence[object], lookup: str) -> Q:
    """Return the condition that a row is after (``gt``) or before (``lt``) ``limit`` in ``ORDER``."""
    condition = Q()
    for number, name in enumerate(ORDER):
        same = dict(zip(ORDER[:number], limit, strict=False))
        condition |= Q(**same, **{f"{name}__{lookup}": limit[number]})
    return condition

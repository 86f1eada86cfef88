"""The queue of the review page, walked by key: decisions that empty it do not move what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from nb_catalog import review
from nb_catalog.core.types import Actor
from nb_catalog.models import ProductImage

PER_PAGE: Final = 24
# Pictures of one product follow each other; the last field makes the order total.
ORDER: Final = ("content_type_id", "object_id", "scene", "id")
# What pictures can be grouped by before that. Nulls have no place in an order that all databases share.
GROUPS: Final[Mapping[str, Any]] = MappingProxyType(
    {"run": Coalesce(F("job__run_id"), Value(0)), "series": Coalesce(F("series"), Value(""))}
)
# Times that others may claim a whole part before this one does.
ROUNDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePart:
    """Consecutive pictures of the queue. ``has_earlier`` and ``has_later``: whether there are more."""

    images: Sequence[ProductImage]
    has_earlier: bool
    has_later: bool


def part_of(
    rows: QuerySet[ProductImage],
    *,
    after: int | None = None,
    before: int | None = None,
    group: str = "",
) -> QueuePart:
    """Return the first pictures of ``rows``, or those after or before the picture with a key.

    That picture may have left the queue meanwhile. If it does not exist, the queue begins again. ``group``
    is one of ``GROUPS``, by which they are ordered first.
    """
    order: tuple[str, ...] = ORDER
    every = ProductImage.objects.all()
    if group in GROUPS:
        order = ("group", *ORDER)
        rows, every = (each.annotate(group=GROUPS[group]) for each in (rows, every))
    limit = every.filter(pk=after or before or 0).values_list(*order).first()
    if limit is None:
        images = list(rows.order_by(*order)[: PER_PAGE + 1])
        return QueuePart(
            images=images[:PER_PAGE], has_earlier=False, has_later=len(images) > PER_PAGE
        )
    later, earlier = (_beyond(limit, lookup, order=order) for lookup in ("gt", "lt"))
    if after is not None:
        images = list(rows.filter(later).order_by(*order)[: PER_PAGE + 1])
        has_earlier = rows.filter(earlier | Q(pk=limit[-1])).exists()
        return QueuePart(
            images=images[:PER_PAGE], has_earlier=has_earlier, has_later=len(images) > PER_PAGE
        )
    reverse = [f"-{name}" for name in order]
    images = list(rows.filter(earlier).order_by(*reverse)[: PER_PAGE + 1])
    has_later = rows.filter(later | Q(pk=limit[-1])).exists()
    return QueuePart(
        images=images[:PER_PAGE][::-1], has_earlier=len(images) > PER_PAGE, has_later=has_later
    )


def claimed_part_of(rows: QuerySet[ProductImage], *, reviewer: Actor, **position: Any) -> QueuePart:
    """Return a part of ``rows`` as ``part_of`` does, of pictures that are ``reviewer``'s from now on: those
    that others have claimed are left out."""
    for _round in range(ROUNDS):
        part = part_of(review.unclaimed_by_others(rows, reviewer=reviewer), **position)
        mine = review.claim([image.pk for image in part.images], reviewer=reviewer)
        images = [image for image in part.images if image.pk in mine]
        if images or not part.images:
            break
    return QueuePart(images=images, has_earlier=part.has_earlier, has_later=part.has_later)


def _beyond(limit: Sequence[object], lookup: str, *, order: Sequence[str]) -> Q:
    """Return the condition that a row is after (``gt``) or before (``lt``) ``limit`` in ``order``."""
    condition = Q()
    for number, name in enumerate(order):
        same = dict(zip(order[:number], limit, strict=False))
        condition |= Q(**same, **{f"{name}__{lookup}": limit[number]})
    return condition

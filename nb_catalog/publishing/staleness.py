"""Finds, marks and refreshes published pictures whose text is out of date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.utils import timezone

from nb_catalog import generation
from nb_catalog.core.iteration import blocks
from nb_catalog.core.types import Actor
from nb_catalog.generation.refresh import RefreshPlanner
from nb_catalog.generation.text_overlays import DesignCache
from nb_catalog.models import Placement, Run
from nb_catalog.registry import is_registered, source_for

# Products whose published pictures are inspected together.
BLOCK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshResult:
    """The number of stale published pictures, and the runs that replace them.

    There is no run if the replacements exist already or are not possible.
    """

    stale: int
    runs: tuple[Run, ...]


def scan_placements(placements: QuerySet[Placement] | None = None) -> Iterator[list[Placement]]:
    """Run ``mark_stale`` for the products of ``placements``; by default, of all published text.

    Yields the stale placements, one block of products at a time.
    """
    rows = Placement.objects.all() if placements is None else placements
    rows = rows.filter(image__locale__gt="").order_by("content_type_id", "object_id")
    keys = rows.values_list("content_type_id", "object_id").distinct().iterator()
    for type_id, group in groupby(keys, key=itemgetter(0)):
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None or not is_registered(model):
            continue
        for block in blocks((key for _type, key in group), size=BLOCK):
            yield mark_stale(list(source_for(model).queryset().in_bulk(block).values()))


def mark_stale(products: Sequence[Model]) -> list[Placement]:
    """Set ``stale_since`` of published pictures of ``products`` whose text has changed; return these.

    ``products`` are of one model. ``stale_since`` of all others is cleared; nothing is withdrawn.
    Raises ``NotRegistered`` for an unknown model.
    """
    if not products:
        return []
    planner = RefreshPlanner(designs=DesignCache(source_for(type(products[0]))))
    published = list(planner.inspect(products))
    stale = [each.placement for each in published if each.is_stale]
    for placement in stale:
        # Only with the picture that was inspected: another one may have been published since.
        Placement.objects.filter(
            pk=placement.pk, image_id=placement.image_id, stale_since=None
        ).update(stale_since=timezone.now())
    fresh = [each.placement.pk for each in published if not each.is_stale]
    Placement.objects.filter(pk__in=fresh, stale_since__isnull=False).update(stale_since=None)
    return stale


def refresh(products: Iterable[Model], *, actor: Actor) -> RefreshResult:
    """Start a run per model that replaces the stale published pictures of ``products``.

    The new pictures wait for review; until then the old ones stay published.
    """
    by_model: dict[type[Model], list[Model]] = defaultdict(list)
    for product in products:
        by_model[type(product)].append(product)
    runs, stale = [], 0
    for group in by_model.values():
        stale += len(mark_stale(group))
        plan = generation.plan_refresh(group)
        if any(plan.wanted()):
            runs.append(generation.start_run(plan, actor=actor, priority=None))
    return RefreshResult(stale=stale, runs=tuple(runs))


def products_of(placements: QuerySet[Placement]) -> Iterator[Model]:
    """Yield the products of ``placements``. One query per model."""
    keys: dict[int, set[str]] = defaultdict(set)
    for type_id, key in placements.order_by().values_list("content_type_id", "object_id"):
        keys[type_id].add(key)
    for type_id, object_ids in keys.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None and is_registered(model):
            yield from source_for(model).queryset().in_bulk(list(object_ids)).values()

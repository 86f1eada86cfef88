"""Published pictures whose words the shop would not say any more: found, marked, made anew."""

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
from nb_catalog.generation import runs
from nb_catalog.models import Placement, Run
from nb_catalog.registry import is_registered, source_for

# Products whose published pictures are looked at together.
BLOCK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshResult:
    """How many published pictures are out of date, and the runs that make new ones: none where new
    ones are there already, or cannot be made."""

    stale: int
    runs: tuple[Run, ...]


def scan_placements(shown: QuerySet[Placement] | None = None) -> Iterator[list[Placement]]:
    """``mark_stale`` for the products of ``shown``, or of all that is published with words: what is
    stale, a block of products at a time."""
    rows = Placement.objects.all() if shown is None else shown
    keys = rows.filter(image__locale__gt="").order_by("content_type_id", "object_id")
    found = keys.values_list("content_type_id", "object_id").distinct().iterator()
    for type_id, group in groupby(found, key=itemgetter(0)):
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None or not is_registered(model):
            continue
        for block in blocks((key for _type, key in group), size=BLOCK):
            yield mark_stale(list(source_for(model).queryset().in_bulk(block).values()))


def mark_stale(products: Sequence[Model]) -> list[Placement]:
    """Look at the published pictures with words of ``products``, all of one model: those whose words
    the shop would not say any more. Their ``stale_since`` is set, and that of all others cleared.

    Nothing is taken out of the storefront. Raises ``NotRegistered`` for an unknown model.
    """
    if not products:
        return []
    renewal = generation.RefreshPlanner.of(source_for(type(products[0])))
    shown = list(renewal.looked_over(products))
    stale = [each.placement for each in shown if each.is_stale]
    fresh = [each.placement for each in shown if not each.is_stale]
    for placement in stale:
        # With the picture that was looked at: another may have been published meanwhile.
        Placement.objects.filter(
            pk=placement.pk, image_id=placement.image_id, stale_since=None
        ).update(stale_since=timezone.now())
    Placement.objects.filter(
        pk__in=[placement.pk for placement in fresh], stale_since__isnull=False
    ).update(stale_since=None)
    return stale


def refresh(products: Iterable[Model], *, actor: Actor) -> RefreshResult:
    """Make anew what is published of ``products`` and out of date: a run for each model. The new
    pictures wait for review; the old ones stay where they are until then."""
    by_model: dict[type[Model], list[Model]] = defaultdict(list)
    for product in products:
        by_model[type(product)].append(product)
    started, stale = [], 0
    for group in by_model.values():
        stale += len(mark_stale(group))
        plan = generation.plan_refresh(group)
        if any(plan.wanted()):
            started.append(runs.start_run(plan, actor=actor, priority=None))
    return RefreshResult(stale=stale, runs=tuple(started))


def products_of(shown: QuerySet[Placement]) -> Iterator[Model]:
    """The products that ``shown`` are about: one query a model."""
    keys: dict[int, set[str]] = defaultdict(set)
    for type_id, key in shown.order_by().values_list("content_type_id", "object_id"):
        keys[type_id].add(key)
    for type_id, wanted in keys.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None and is_registered(model):
            yield from source_for(model).queryset().in_bulk(list(wanted)).values()

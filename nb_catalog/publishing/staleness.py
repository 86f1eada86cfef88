"""Finds and marks published pictures whose text is out of date, and does what their slots ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from nb_catalog import generation
from nb_catalog.core.iteration import blocks
from nb_catalog.core.types import Actor
from nb_catalog.cutouts.stale import with_outdated_mask
from nb_catalog.generation.refresh import RefreshPlanner
from nb_catalog.generation.text_overlays import DesignCache
from nb_catalog.models import CopyDeck, Placement, Run, TextLayout
from nb_catalog.models.generic import ObjectKey, fetch_subjects, own_key
from nb_catalog.publishing import policies
from nb_catalog.registry import CatalogSource, is_registered, source_for, subject_of
from nb_catalog.signals import events

# Products whose published pictures are inspected together.
BLOCK: Final = 200
# Placements that are checked during a web request.
MAX_CHECKED: Final = 500


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
    for products in published_products(placements):
        yield mark_stale(products)


def published_products(placements: QuerySet[Placement] | None = None) -> Iterator[list[Model]]:
    """Yield the products of those of ``placements`` that have text, a block at a time."""
    rows = Placement.objects.all() if placements is None else placements
    rows = rows.filter(image__locale__gt="").order_by("content_type_id", "object_id")
    keys = rows.values_list("content_type_id", "object_id").distinct().iterator()
    for type_id, group in groupby(keys, key=itemgetter(0)):
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None or not is_registered(model):
            continue
        for block in blocks((key for _type, key in group), size=BLOCK):
            yield list(source_for(model).queryset().in_bulk(block).values())


def mark_stale_of(design: CopyDeck | TextLayout) -> int | None:
    """Mark published pictures whose text ``design`` has changed; return how many of its pictures are stale.

    Returns None if too many are published for one request: then nothing is marked, and ``nb_stale`` or
    a running worker finds them.
    """
    name = "deck" if isinstance(design, CopyDeck) else "layout"
    published = Placement.objects.filter(**{f"image__spec__{name}": design.key})
    if published.count() > MAX_CHECKED:
        return None
    return sum(map(len, scan_placements(published)))


def mark_stale(products: Iterable[Model]) -> list[Placement]:
    """Set ``stale_since`` of published pictures of ``products`` whose text has changed; return these.

    ``stale_since`` of all others is cleared. What the text says decides what happens then: by the
    policy of its slot a picture is kept, withdrawn, or typeset again and published without a person
    (see ``publishing.policies``). What was withdrawn or renewed at once is not returned. Raises
    ``NotRegistered`` for an unknown model.
    """
    stale: list[Placement] = []
    for source, subjects in _by_source(products).items():
        planner = RefreshPlanner(designs=DesignCache(source))
        published = list(planner.inspect(subjects))
        outdated = [each for each in published if each.is_stale]
        with transaction.atomic():
            # Only with the picture that was inspected: another one may have been published since.
            events.record_stale(
                [
                    each.placement
                    for each in outdated
                    if Placement.objects.filter(
                        pk=each.placement.pk, image_id=each.placement.image_id, stale_since=None
                    ).update(stale_since=timezone.now())
                ]
            )
        fresh = [each.placement.pk for each in published if not each.is_stale]
        # Their text is true, and the outline of the product below it is not any more.
        marked = Placement.objects.filter(pk__in=fresh, stale_since__isnull=False)
        kept = with_outdated_mask(marked.select_related("image__parent"))
        fresh = [key for key in fresh if key not in kept]
        Placement.objects.filter(pk__in=fresh, stale_since__isnull=False).update(stale_since=None)
        settled = policies.apply(outdated, source=source, products=subjects)
        stale += [each.placement for each in outdated if each.placement.pk not in settled]
    return stale


def refresh(products: Iterable[Model], *, actor: Actor) -> RefreshResult:
    """Start a run per model that replaces the stale published pictures of ``products``.

    The new pictures wait for review; until then the old ones stay published. In slots with the
    policy "renew" they do not wait.
    """
    runs, stale = [], 0
    for subjects in _by_source(products).values():
        stale += len(mark_stale(subjects))
        plan = generation.plan_refresh(subjects)
        if any(plan.wanted()):
            runs.append(generation.start_run(plan, actor=actor, priority=None))
    return RefreshResult(stale=stale, runs=tuple(runs))


def _by_source(products: Iterable[Model]) -> dict[CatalogSource, list[Model]]:
    """Return the subjects of ``products``, each once, by the source that reads them."""
    rows = list(products)
    fetch_subjects(rows)
    by_source: dict[CatalogSource, dict[ObjectKey, Model]] = defaultdict(dict)
    for product in rows:
        subject = subject_of(product)
        by_source[source_for(subject)][own_key(subject)] = subject
    return {source: list(subjects.values()) for source, subjects in by_source.items()}


def products_of(placements: QuerySet[Placement]) -> Iterator[Model]:
    """Yield the products of ``placements``. One query per model."""
    keys: dict[int, set[str]] = defaultdict(set)
    for type_id, key in placements.order_by().values_list("content_type_id", "object_id"):
        keys[type_id].add(key)
    for type_id, object_ids in keys.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None and is_registered(model):
            yield from source_for(model).queryset().in_bulk(list(object_ids)).values()

"""The history of a picture: family, recipe, decisions, and where it is and was published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from nb_catalog.core.permissions import Action, may
from nb_catalog.generation.similar import SimilarPlan, similar_plan
from nb_catalog.models import PlacementEvent, ProductImage, ReviewEvent
from nb_catalog.models.images import ImageKind
from nb_catalog.review.family import Family, family_of
from nb_catalog.review.photo_origins import PhotoOrigin, photo_origins
from nb_catalog.review.recipes import Recipe, recipe_of
from nb_catalog.review.services import objections_to

# Changes of places that are read of one picture, the newest ones.
MOST_EVENTS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPeriod:
    """A time for which a picture was in a place of the storefront.

    ``until`` is None while it is. ``started`` and ``ended`` are the changes; ``started`` is None if it is
    older than those that are read.
    """

    slot: str
    locale: str
    position: int
    since: datetime
    until: datetime | None = None
    started: PlacementEvent | None = None
    ended: PlacementEvent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of a picture. ``objections`` are the sentences of its checks that failed.

    Without permission to read prompts, ``recipe`` has none and ``similar`` is None; without permission to
    view jobs, ``recipe`` has no calls, and its cost is None; without permission to view placements, there are
    no ``publications``.
    """

    image: ProductImage
    photos: tuple[PhotoOrigin, ...]
    family: Family
    recipe: Recipe
    objections: tuple[str, ...]
    decisions: tuple[ReviewEvent, ...]
    publications: tuple[PublishedPeriod, ...]
    similar: SimilarPlan | None
    may_read_prompts: bool
    may_view_placements: bool


def history_of(
    image: ProductImage, *, user: Any, rows: QuerySet[ProductImage] | None = None
) -> History:
    """Return the history of ``image``, as far as ``user`` may read it.

    ``rows`` is how pictures of the family are read, with what the caller prefetches. The number of queries
    does not depend on the size of the family.
    """
    may_read_prompts = may(user, Action.READ_PROMPTS)
    may_view_placements = may(user, Action.VIEW_PLACEMENTS)
    pictures = ProductImage.objects.all() if rows is None else rows
    family = family_of(
        image, rows=pictures.prefetch_related("placements"), may_read_prompts=may_read_prompts
    )
    photos = photo_origins(family.first)
    recipe = recipe_of(image, photos=photos)
    if not may_read_prompts:
        hidden = replace(recipe.spec, prompt="", system="", renderer={}, edit={})
        recipe = replace(recipe, spec=hidden, prompt="", system="")
    if not may(user, Action.VIEW_JOBS):
        recipe = replace(recipe, calls=(), cost=None)
    is_planned = may_read_prompts and image.kind == ImageKind.PICTURE
    return History(
        image=image,
        photos=photos,
        family=family,
        recipe=recipe,
        objections=tuple(objections_to(image)),
        decisions=tuple(image.review_events.select_related("actor").order_by("pk")),
        publications=_publications(image) if may_view_placements else (),
        similar=similar_plan(image) if is_planned else None,
        may_read_prompts=may_read_prompts,
        may_view_placements=may_view_placements,
    )


def _publications(image: ProductImage) -> tuple[PublishedPeriod, ...]:
    """Return where ``image`` is and was published, the newest first. Two queries."""
    events = PlacementEvent.objects.filter(Q(image_before=image) | Q(image_after=image))
    newest = list(events.select_related("actor").order_by("-pk")[:MOST_EVENTS])
    ended: list[PublishedPeriod] = []
    running: dict[tuple[Any, ...], PublishedPeriod] = {}
    for event in reversed(newest):
        place = (event.content_type_id, event.object_id, event.slot, event.locale, event.position)
        is_there = event.image_after_id == image.pk
        if is_there and place not in running:
            running[place] = PublishedPeriod(
                slot=event.slot, locale=event.locale, position=event.position, since=event.at,
                started=event,
            )  # fmt: skip
        elif not is_there and place in running:
            ended.append(replace(running.pop(place), until=event.at, ended=event))
    # The rows say what is published now, whatever was read of the events.
    now = [
        running.get(
            (each.content_type_id, each.object_id, each.slot, each.locale, each.position),
            PublishedPeriod(
                slot=each.slot, locale=each.locale, position=each.position, since=each.published_at
            ),
        )
        for each in image.placements.order_by("slot", "locale", "position")
    ]
    return (*now, *reversed(ended))

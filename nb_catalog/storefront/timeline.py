"""What places show at a moment: in the past by the history, in the future by what is scheduled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

from django.db.models import Q

from nb_catalog.models import (
    AltText,
    Placement,
    PlacementEvent,
    PlannedPlacement,
    ProductImage,
    Rendition,
)
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import ObjectKey, key_condition
from nb_catalog.models.publications import PublicationState
from nb_catalog.storefront.alt_text import overlay_text
from nb_catalog.storefront.picture_data import PictureData, picture_data

PLACE: Final = ("content_type_id", "object_id", "slot", "locale", "position")
Place: TypeAlias = tuple[Any, ...]


class ShownAt(NamedTuple):
    """What a place shows at a moment. ``alt`` is what a person wrote for the picture, or ""."""

    content_type_id: int
    object_id: str
    slot: str
    locale: str
    position: int
    image_id: int
    picture_data: PictureData
    alt: str


class _Step(NamedTuple):
    """The start or the end of a publication, by its ``number``, in a place. A start shows ``image``, None for
    nothing, with ``only_if`` only in place of that picture."""

    moment: datetime
    is_start: bool
    number: int
    place: Place
    image: int | None
    only_if: int | None = None


def shown_at(
    keys: Iterable[ObjectKey],
    *,
    moment: datetime,
    slots: Collection[str] | None = None,
    locales: Sequence[str] | None = None,
) -> list[ShownAt]:
    """Return what the places of the objects ``keys`` show at ``moment``, in ``slots`` and ``locales``, by
    default in all. Alternative texts are those of the first of ``locales`` that has one.

    A constant number of queries. Files of pictures that are scheduled may not be made yet: then the original
    stands in for them.
    """
    condition = key_condition(keys)
    if slots is not None:
        condition &= Q(slot__in=slots)
    if locales is not None:
        condition &= Q(locale__in=locales)
    data: dict[int, PictureData] = {}
    images: dict[Place, int | None] = {}
    rows = Placement.objects.filter(condition).values_list(*PLACE, "image_id", "picture_data")
    for *place, image, stored in rows:
        images[tuple(place)], data[image] = image, stored
    if moment < database_now():
        events = PlacementEvent.objects.filter(condition, at__gt=moment).order_by("-pk")
        for *place, before in events.values_list(*PLACE, "image_before_id"):
            images[tuple(place)] = before
    else:
        _advance(images, condition, moment=moment)
    shown = {place: image for place, image in images.items() if image is not None}
    data |= _data_of(image for image in shown.values() if image not in data)
    alts = _written(shown.values(), locales or ())
    return [
        ShownAt._make((*place, image, data[image], alts.get(image, "")))
        for place, image in shown.items()
    ]


def _advance(images: dict[Place, int | None], condition: Q, *, moment: datetime) -> None:
    """Change ``images``, what places show now, to what they show at ``moment``, which is to come."""
    waiting = Q(publication__state=PublicationState.WAITING)
    ending = Q(publication__state=PublicationState.PUBLISHED, publication__due_at__isnull=False)
    planned = PlannedPlacement.objects.filter(condition & (waiting | ending))
    rows = list(planned.select_related("publication"))
    ending_numbers = {
        row.publication_id for row in rows if row.publication.state == PublicationState.PUBLISHED
    }
    before: dict[tuple[int, Place], tuple[int | None, int | None]] = {}
    events = PlacementEvent.objects.filter(condition, publication__in=ending_numbers)
    columns = ("publication_id", *PLACE, "image_before_id", "image_after_id")
    for number, *place, was, became in events.order_by("pk").values_list(*columns):
        before[number, tuple(place)] = was, became
    steps: list[_Step] = []
    for row in rows:
        publication, place = row.publication, tuple(getattr(row, name) for name in PLACE)
        number, image = publication.pk, None if row.empties else row.image_id
        if publication.state == PublicationState.WAITING:
            starts_at = publication.starts_at or publication.at
            only_if = row.image_id if row.empties else None
            steps.append(_Step(starts_at, True, number, place, image, only_if))
        if publication.ends_at is not None:
            steps.append(_Step(publication.ends_at, False, number, place, image))
    # What ends at a moment is over before something else begins then.
    for step in sorted(steps, key=lambda each: each[:3]):
        if step.moment > moment:
            continue
        key, now = (step.number, step.place), images.get(step.place)
        if step.is_start:
            if step.only_if in (None, now) and now != step.image:
                before[key] = now, step.image
                images[step.place] = step.image
        elif key in before and now == before[key][1]:
            images[step.place] = before[key][0]


def _data_of(keys: Iterable[int]) -> Mapping[int, PictureData]:
    images = ProductImage.objects.in_bulk(sorted(set(keys)))
    files: dict[int, list[Rendition]] = defaultdict(list)
    for row in Rendition.objects.filter(image__in=images):
        files[row.image_id].append(row)
    return {
        pk: picture_data(
            files[pk], origin=image.digital_source_type, overlay_text=overlay_text(image)
        )
        if any(row.format == "jpeg" for row in files[pk])
        else {
            "src": image.file.url,
            "width": image.width,
            "height": image.height,
            "srcsets": {},
            "origin": image.digital_source_type,
        }
        for pk, image in images.items()
    }


def _written(images: Iterable[int], locales: Sequence[str]) -> Mapping[int, str]:
    """Return what people wrote for ``images``, in the first of ``locales`` that has a text."""
    texts = AltText.objects.filter(
        image__in=set(images), locale__in=[each for each in locales if each]
    )
    by_image = {
        (image, code): text for image, code, text in texts.values_list("image", "locale", "text")
    }
    written: dict[int, str] = {}
    for code in reversed(locales):
        written |= {
            image: text for (image, each), text in by_image.items() if each == code and text
        }
    return written

"""Publishes many pictures as one: at once, or once files are made and their time has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from nb_catalog import tasks
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import (
    Placement,
    PlannedPlacement,
    ProductImage,
    Publication,
    RenditionRequest,
    Run,
)
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.images import ImageKind
from nb_catalog.models.publications import PublicationKind, PublicationState
from nb_catalog.publishing import placements, places, renditions
from nb_catalog.publishing.places import PlaceKey
from nb_catalog.publishing.rendition_requests import request_renditions
from nb_catalog.publishing.schedules import check_times, require_free

# Pictures whose files a request makes itself; with more, a worker makes them.
MOST_INLINE: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationProgress:
    """How many pictures of a publication have their ``ready`` files, of how many, and those that have a
    ``problem``."""

    ready: int
    total: int
    problems: tuple[PlannedPlacement, ...]


def request_publication(
    pictures: Iterable[tuple[PlaceKey, ProductImage]],
    *,
    actor: Actor,
    title: str = "",
    reason: str = "",
    run: Run | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    background: bool = True,
) -> Publication:
    """Publish approved ``pictures`` in their places, all or none, and return the publication.

    If more than ``MOST_INLINE`` of them lack files for web pages, or with ``starts_at``, it waits: a worker
    makes the files, and then moves all places in one transaction. Without ``background`` the files are made
    here. At ``ends_at`` the places show again what they did before, except those that somebody has changed
    meanwhile.

    Raises ``RequestRefused`` with every reason why pictures cannot be published, for two pictures in one
    place, for times that are over or end before they begin, and for those in which another publication has
    one of the places; ``FidelityRefused`` as ``placements.publish``.
    """
    pictures = list(pictures)
    by_place = dict(pictures)
    if not pictures:
        raise RequestRefused(_("Choose pictures to publish."))
    if len(by_place) < len(pictures):
        raise RequestRefused(
            _("Two of these pictures are for the same place. Give them positions of their own.")
        )
    now = database_now()
    check_times(starts_at, ends_at, now=now)
    placements.check(by_place, actor=actor, reason=reason)
    images = list({image.pk: image for image in by_place.values()}.values())
    name = (
        _("Picture %(pk)s") % {"pk": images[0].pk}
        if len(images) == 1
        else _("%(number)s pictures") % {"number": len(images)}
    )
    publication = Publication(
        kind=PublicationKind.SELECTION if run is None else PublicationKind.RUN,
        title=(title or name)[:200],
        run=run,
        actor=actor,
        reason=reason,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    missing = renditions.without_files(images)
    waits = starts_at is not None or (background and len(missing) > MOST_INLINE)
    # Before the transaction: files take a moment.
    prepared = {} if waits else placements.checked(by_place, actor=actor, reason=reason)
    with transaction.atomic():
        if starts_at is not None or ends_at is not None:
            require_free(by_place, starts_at or now, ends_at)
        if waits:
            return wait(publication, by_place)
        publication.published_at, publication.due_at = now, ends_at
        publication.save()
        placements.put(prepared, actor=actor, reason=reason, publication=publication)
        # After the places and images are locked: its rows refer to images, which locks these as well.
        write_plan(publication, by_place)
    return publication


def approved_of(run: Run, *, rows: QuerySet[ProductImage] | None = None) -> QuerySet[ProductImage]:
    """Return the approved pictures of ``run``, in the order in which they were made."""
    rows = ProductImage.objects.all() if rows is None else rows
    return rows.filter(job__run=run, kind=ImageKind.PICTURE, state=ImageState.APPROVED).order_by(
        "pk"
    )


def placed(images: Iterable[ProductImage], *, slot: str) -> list[tuple[PlaceKey, ProductImage]]:
    """Return ``images`` with their places in ``slot``: those with text in its language, and several of one
    product one behind the other."""
    positions: Counter[tuple[int, str, str]] = Counter()
    pictures = []
    for image in images:
        place = (image.content_type_id, image.object_id, image.locale)
        key = (image.content_type_id, image.object_id, slot, image.locale, positions[place])
        positions[place] += 1
        pictures.append((key, image))
    return pictures


def wait(
    publication: Publication,
    pictures: Mapping[PlaceKey, ProductImage],
    *,
    emptied: Iterable[Placement] = (),
) -> Publication:
    """Store ``publication``, to be made by a worker once the files of ``pictures`` are there and its time has
    come. ``emptied`` places are emptied then, if they still show the same. Call it in a transaction."""
    publication.state = PublicationState.WAITING
    publication.due_at = publication.starts_at or database_now()
    publication.by_person = publication.actor is not None
    publication.save()
    write_plan(publication, pictures, emptied=emptied)
    request_renditions(list(pictures.values()))
    tasks.wake_up()
    return publication


def write_plan(
    publication: Publication,
    pictures: Mapping[PlaceKey, ProductImage],
    *,
    emptied: Iterable[Placement] = (),
) -> None:
    """Record that ``publication`` shows ``pictures``, and nothing in the places ``emptied``."""
    rows = [
        PlannedPlacement(**places.columns(key), publication=publication, image=image)
        for key, image in pictures.items()
    ]
    rows += [
        PlannedPlacement(
            **places.columns(places.place_key(each)),
            publication=publication,
            image_id=each.image_id,
            empties=True,
        )
        for each in emptied
    ]
    PlannedPlacement.objects.bulk_create(rows, batch_size=places.BLOCK)


def cancel(publication: Publication) -> None:
    """Cancel ``publication``, which waits or was stopped. Raises ``InvalidTransition`` for others."""
    rows = Publication.objects.filter(
        pk=publication.pk, state__in=(PublicationState.WAITING, PublicationState.STOPPED)
    )
    if not rows.update(state=PublicationState.CANCELLED, due_at=None):
        publication.refresh_from_db()
        raise InvalidTransition(
            _("Publication %(pk)s does not wait: %(state)s.")
            % {"pk": publication.pk, "state": publication.get_state_display()}
        )
    publication.refresh_from_db()


def retry(publication: Publication, *, leave_out: bool = False) -> None:
    """Have a stopped ``publication`` tried again; with ``leave_out``, without the pictures that have a
    problem.

    Raises ``InvalidTransition`` for others, ``RequestRefused`` if its time is over, if another publication
    has one of its places by now, or if no picture is left.
    """
    with transaction.atomic():
        now = database_now()
        rows = Publication.objects.filter(pk=publication.pk, state=PublicationState.STOPPED)
        due = max(publication.starts_at or now, now)
        if not rows.update(state=PublicationState.WAITING, due_at=due, problem=""):
            raise InvalidTransition(
                _("Publication %(pk)s was not stopped.") % {"pk": publication.pk}
            )
        if publication.ends_at is not None and publication.ends_at <= now:
            raise RequestRefused(
                _("Its time is over. Publish the pictures again, with another end.")
            )
        if leave_out:
            publication.planned.exclude(problem="").delete()
        publication.planned.update(problem="")
        planned = publication.planned.filter(empties=False).select_related("image")
        pictures = {places.place_key(row): row.image for row in planned}
        if not pictures:
            raise RequestRefused(_("No picture is left to publish. Cancel it."))
        if publication.starts_at is not None or publication.ends_at is not None:
            require_free(pictures, due, publication.ends_at, own=publication)
        request_renditions(list(pictures.values()))
        tasks.wake_up()
    publication.refresh_from_db()


def progress_of(publication: Publication) -> PublicationProgress:
    """Return how far the files of ``publication`` are made, and which of its pictures have a problem."""
    planned = publication.planned.filter(empties=False)
    total = planned.values("image").distinct().count()
    waits = publication.state == PublicationState.WAITING
    requests = RenditionRequest.objects.filter(image__in=planned.values("image"))
    failing = dict(requests.exclude(problem="").values_list("image_id", "problem")) if waits else {}
    rows = list(planned.exclude(problem="")) + list(planned.filter(problem="", image__in=failing))
    for row in rows:
        row.problem = row.problem or failing[row.image_id]
    return PublicationProgress(
        ready=total - (requests.count() if waits else 0), total=total, problems=tuple(rows)
    )

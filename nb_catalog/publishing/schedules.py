"""When publications begin and end: their times are checked, compared with each other, and changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import PlannedPlacement, Publication, StaleScan
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.publications import PublicationKind, PublicationState
from nb_catalog.publishing import places
from nb_catalog.publishing.places import PlaceKey

# The row of ``StaleScan`` that is locked while schedules are compared with each other.
SCHEDULE_ROW: Final = 5
INSTANT: Final = timedelta(microseconds=1)


def check_times(starts_at: datetime | None, ends_at: datetime | None, *, now: datetime) -> None:
    """Raise ``RequestRefused`` for a start that has passed, and an end that is not after it."""
    if starts_at is not None and starts_at <= now:
        raise RequestRefused(
            _("%(start)s has passed. Leave the start out to publish now.")
            % {"start": moment_name(starts_at)}
        )
    if ends_at is not None and ends_at <= (starts_at or now):
        raise RequestRefused(
            _(
                "The end, %(end)s, is not after the start, %(start)s. Choose a later end, or leave it out to "
                "publish without one."
            )
            % {"end": moment_name(ends_at), "start": moment_name(starts_at)}
            if starts_at is not None
            else _(
                "The end, %(end)s, has passed. Choose a later one, or leave it out to publish without one."
            )
            % {"end": moment_name(ends_at)}
        )


def require_free(
    keys: Iterable[PlaceKey],
    starts_at: datetime,
    ends_at: datetime | None,
    *,
    own: Publication | None = None,
) -> None:
    """Raise ``RequestRefused`` if another publication has one of the places ``keys`` for a part of the time.
    One without an end has its places at its start only: what begins later may follow it.

    Call it in a transaction: schedules are compared one after the other.
    """
    StaleScan.objects.get_or_create(pk=SCHEDULE_ROW)
    StaleScan.objects.filter(pk=SCHEDULE_ROW).update(started_at=database_now())
    others = (
        PlannedPlacement.objects.filter(
            publication__due_at__isnull=False,
            publication__state__in=(PublicationState.WAITING, PublicationState.PUBLISHED),
        )
        .exclude(publication=own.pk if own else None)
        .exclude(publication__starts_at=None, publication__ends_at=None)
        .select_related("publication")
    )
    objections: dict[str, None] = {}
    for rows in places.rows_in(keys, others):
        for row in rows:
            other = row.publication
            begins = other.starts_at or other.published_at or other.at
            if begins < (ends_at or starts_at + INSTANT) and starts_at < (
                other.ends_at or begins + INSTANT
            ):
                objections[_overlap(row, begins)] = None
    if objections:
        raise RequestRefused(*objections)


def _overlap(row: PlannedPlacement, begins: datetime) -> str:
    other = row.publication
    values = {
        "slot": row.slot,
        "object": row.object_id,
        "pk": other.pk,
        "title": other.title,
        "start": moment_name(begins),
        "end": "" if other.ends_at is None else moment_name(other.ends_at),
    }
    if other.ends_at is None:
        message = _(
            "Publication %(pk)s (%(title)s) changes the slot “%(slot)s” of product %(object)s at %(start)s. "
            "Choose another time, or cancel it."
        )
    else:
        message = _(
            "Publication %(pk)s (%(title)s) has the slot “%(slot)s” of product %(object)s from %(start)s "
            "until %(end)s. Choose another time, or cancel it."
        )
    return message % values


def moment_name(moment: datetime) -> str:
    """Return ``moment`` as people in the shop's time zone write it."""
    return date_format(
        timezone.localtime(moment, timezone.get_default_timezone()), "DATETIME_FORMAT"
    )


def reschedule(
    publication: Publication, *, starts_at: datetime | None, ends_at: datetime | None
) -> None:
    """Give a waiting ``publication`` other times; of one that is published, only the end can be changed.

    Raises ``RequestRefused`` as ``request_publication``, ``InvalidTransition`` if it neither waits nor is
    published.
    """
    now = database_now()
    with transaction.atomic():
        publication = Publication.objects.select_for_update().get(pk=publication.pk)
        waits = publication.state == PublicationState.WAITING
        if not waits and publication.state != PublicationState.PUBLISHED:
            raise InvalidTransition(
                _("Publication %(pk)s neither waits nor is published.") % {"pk": publication.pk}
            )
        if not waits and starts_at != publication.starts_at:
            raise RequestRefused(_("It has begun already. Only its end can be changed."))
        if not waits and publication.undone_at is not None:
            raise RequestRefused(
                _("Publication %(pk)s is undone already.") % {"pk": publication.pk}
            )
        if publication.kind == PublicationKind.ROLL_BACK and ends_at is not None:
            raise RequestRefused(
                _("A roll-back has no end. Undo it, or schedule pictures for these places.")
            )
        check_times(starts_at if waits else None, ends_at, now=now)
        keys = [places.place_key(row) for row in publication.planned.all()]
        begins = starts_at or publication.published_at or now
        require_free(keys, begins, ends_at, own=publication)
        # The conditions again: SQLite locks nothing while it reads.
        changed = Publication.objects.filter(
            pk=publication.pk, state=publication.state, due_at=publication.due_at
        ).update(
            starts_at=starts_at,
            ends_at=ends_at,
            due_at=(starts_at or now) if waits else ends_at,
        )
        if not changed:
            raise InvalidTransition(
                _("Publication %(pk)s has just been moved. Reload the page.")
                % {"pk": publication.pk}
            )

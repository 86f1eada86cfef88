"""Makes the publications whose time has come and whose files are made, and ends those that are over."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from nb_catalog.core.iteration import blocks
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import InvalidTransition, NBCatalogError, RequestRefused, StorageFailed
from nb_catalog.models import (
    Placement,
    PlannedPlacement,
    Publication,
    RenditionRequest,
    Series,
)
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import existing_keys
from nb_catalog.models.publications import PublicationKind, PublicationState
from nb_catalog.publishing import placements, places, rollbacks
from nb_catalog.publishing.places import PlaceKey
from nb_catalog.publishing.rendition_requests import (
    is_waiting,
    make_requested,
    request_renditions,
)

logger = logging.getLogger(__name__)


def work_on_publications(*, seconds: float | None = None) -> bool:
    """Make the publications whose time has come, and then files of those that wait, for ``seconds`` at most;
    return whether more files wait to be made. Running workers call it every few seconds."""
    publish_due()
    # Looked at after each block: what is to be shown at a moment does not wait for all files.
    make_requested(seconds=seconds, on_stored=publish_due)
    return is_waiting()


def publish_due() -> int:
    """Publish what waits and is ready, and end what is over; return how many publications were moved.

    Any number of processes may call it at the same time: each publication is moved by one of them. Those that
    were missed, because no worker ran, are made up for in their order.
    """
    now = database_now()
    due = Publication.objects.filter(due_at__lte=now).order_by("due_at", "pk")
    planned = PlannedPlacement.objects.filter(publication=OuterRef("pk"))
    makes_files = Exists(planned.filter(image__rendition_request__is_stopped=False))
    is_stopped = Exists(planned.filter(image__rendition_request__is_stopped=True))
    starts = due.filter(state=PublicationState.WAITING).filter(
        Q(ends_at__lte=now) | is_stopped | ~makes_files
    )
    # What ends at a moment is over before something else begins then.
    ended = [_moved(each, _end) for each in due.filter(state=PublicationState.PUBLISHED)]
    return sum(ended) + sum([_moved(each, _start) for each in starts])


def _moved(publication: Publication, move: Callable[[Publication], bool]) -> bool:
    """Return whether ``move`` has moved ``publication``. One that fails does not hold up the others."""
    try:
        return move(publication)
    except (OperationalError, InterfaceError):
        # The database is away.
        raise
    except Exception:  # noqa: BLE001 - sources and permissions are the host's own code
        logger.exception("Publication %s could not be made; it is tried again.", publication.pk)
        return False


def _start(publication: Publication) -> bool:
    """Publish ``publication`` if its files are made; return whether it was moved."""
    now = database_now()
    if publication.ends_at is not None and publication.ends_at <= now:
        problem = _("Its time was over before a worker could publish it.")
        return _stop(publication, PublicationState.MISSED, problem)
    planned = publication.planned.all()
    requests = RenditionRequest.objects.filter(image__in=planned.values("image"))
    stopped = dict(requests.filter(is_stopped=True).values_list("image_id", "problem"))
    if not stopped and requests.exists():
        return False
    rows = list(planned.select_related("image"))
    pictures = {places.place_key(row): row.image for row in rows if not row.empties}
    if not stopped and request_renditions(list(pictures.values())):
        return False
    problems = {
        places.place_key(row): stopped[row.image_id] for row in rows if row.image_id in stopped
    }
    problems |= _deleted(pictures)
    try:
        if problems:
            raise RequestRefused(*dict.fromkeys(problems.values()))
        actor = publication.actor
        if actor is None and publication.by_person:
            raise RequestRefused(
                _("The user who asked for it was deleted. Publish the pictures again.")
            )
        if actor is not None and not may(actor, Action.PUBLISH):
            raise RequestRefused(
                _("%(name)s may not publish pictures any more.") % {"name": actor.get_username()}
            )
        prepared = placements.checked(pictures, actor=actor, reason=publication.reason)
        emptied = [
            Placement(**places.columns(places.place_key(row)), image_id=row.image_id)
            for row in rows
            if row.empties
        ]
        with transaction.atomic():
            # The write comes first: of two processes, the other one finds nothing.
            if not _update(
                publication,
                _waiting(publication),
                state=PublicationState.PUBLISHED,
                published_at=now,
                due_at=publication.ends_at,
                problem="",
            ):
                return False
            _require_same_look(publication)
            placements.put(
                prepared,
                emptied=emptied,
                actor=actor,
                reason=publication.reason,
                publication=publication,
            )
    except InvalidTransition:
        # Somebody has published to one of its places at this moment: it is tried again.
        return False
    except NBCatalogError as error:
        found = placements.objections_to(pictures)
        problems |= {key: " ".join(texts) for key, texts in found.items()}
        return _stop(publication, PublicationState.STOPPED, str(error), problems=problems)
    return True


def _deleted(keys: Iterable[PlaceKey]) -> dict[PlaceKey, str]:
    """Return which of the places ``keys`` are of products that do not exist any more, with a sentence for
    each. A query for each ``BLOCK`` of products."""
    by_product: dict[tuple[int, str], list[PlaceKey]] = defaultdict(list)
    for key in keys:
        by_product[key[0], key[1]].append(key)
    exist: set[tuple[int, str]] = set()
    for block in blocks(sorted(by_product), size=places.BLOCK):
        for type_id in {each[0] for each in block}:
            own = [object_id for other, object_id in block if other == type_id]
            exist |= {(type_id, object_id) for object_id in existing_keys(type_id, own)}
    problem = _("Product %(object)s was deleted. Leave its pictures out.")
    return {
        key: problem % {"object": product[1]}
        for product, of_product in by_product.items()
        if product not in exist
        for key in of_product
    }


def _require_same_look(publication: Publication) -> None:
    """Lock the series of ``publication``. Raises ``RequestRefused`` if its look was changed or it was deleted
    meanwhile."""
    series = publication.series
    if series is None and publication.kind == PublicationKind.SERIES:
        raise RequestRefused(_("Its series was deleted meanwhile."))
    if series is None:
        return
    same_look = Series.objects.filter(pk=series.pk, version=publication.look_version)
    if not list(same_look.select_for_update().values_list("pk")):
        raise RequestRefused(
            _("Someone has changed the look of the series “%(name)s” meanwhile. Publish it again.")
            % {"name": series.name}
        )


def _end(publication: Publication) -> bool:
    """Show again what was there before ``publication``, whose time is over; return whether it was moved."""
    scope = rollbacks.RollBackScope(publication=publication)
    shown = Publication.objects.filter(
        pk=publication.pk, state=PublicationState.PUBLISHED, due_at=publication.due_at
    )
    try:
        with transaction.atomic():
            rollbacks.lock_series(publication)
            if not _update(publication, shown, state=PublicationState.ENDED, due_at=None):
                return False
            found = rollbacks.preview(scope)
            rollbacks.roll_back_all(scope, actor=publication.actor, partial=True)
            Publication.objects.filter(pk=publication.pk).update(
                problem=" ".join(found.objections())
            )
            _note_problems(publication, {each.key: each.problem for each in found.cannot})
    except InvalidTransition:
        return False
    except StorageFailed as error:
        # Said, and tried again.
        _update(publication, shown, problem=str(error))
        return False
    except NBCatalogError as error:
        # It is still shown, and its page says so.
        return _update(publication, shown, due_at=None, problem=str(error))
    return True


def _stop(
    publication: Publication,
    state: PublicationState,
    problem: str,
    *,
    problems: Mapping[PlaceKey, str] | None = None,
) -> bool:
    with transaction.atomic():
        stopped = {"state": state, "due_at": None, "problem": problem}
        if not _update(publication, _waiting(publication), **stopped):
            return False
        _note_problems(publication, problems or {})
    logger.warning("Publication %s was not made (%s).", publication.pk, state)
    return True


def _note_problems(publication: Publication, problems: Mapping[PlaceKey, str]) -> None:
    rows = [row for row in publication.planned.all() if problems.get(places.place_key(row))]
    for row in rows:
        row.problem = problems[places.place_key(row)]
    PlannedPlacement.objects.bulk_update(rows, ["problem"], batch_size=places.BLOCK)


def _update(publication: Publication, rows: QuerySet[Publication], **values: Any) -> bool:
    """Write ``values`` to ``rows``, which are ``publication`` under conditions; return whether it met them.

    Its row is locked by its key alone first, by a write, because SQLite locks nothing while it reads.
    MariaDB looks for ``rows`` by their ``due_at`` and locks that index first, while a person who changes the
    times has the row and waits for the index.
    """
    with transaction.atomic():
        Publication.objects.filter(pk=publication.pk).update(state=F("state"))
        return bool(rows.update(**values))


def _waiting(publication: Publication) -> QuerySet[Publication]:
    return Publication.objects.filter(
        pk=publication.pk, state=PublicationState.WAITING, due_at=publication.due_at
    )

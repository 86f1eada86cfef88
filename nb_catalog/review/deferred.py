"""Has a worker publish many pictures of one request, as one, whose files for web pages are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from nb_catalog import tasks
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import PlannedPlacement, ProductImage, Publication
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.publications import PublicationState
from nb_catalog.publishing import placements, places, publications, renditions
from nb_catalog.publishing.places import PlaceKey
from nb_catalog.publishing.rendition_requests import request_renditions

# Workers leave a publication alone for so long while decisions add pictures to it. If the process dies, they
# publish what was decided.
PATIENCE: Final = timedelta(seconds=60)


class DeferredPublications:
    """The publications of one request, one for each reason that is given; ``images`` are the keys of the
    pictures that they publish."""

    def __init__(self, images: frozenset[int], *, actor: Actor) -> None:
        self.images = images
        self.actor = actor
        self.by_reason: dict[str, Publication] = {}

    def add(self, image: ProductImage, key: PlaceKey, *, reason: str) -> Publication:
        """Have the approved ``image`` published in the place ``key``, and return its publication.

        Call it in a transaction. Raises what ``placements.check`` does, and ``RequestRefused`` for a place
        that another picture of the same request gets.
        """
        placements.check({key: image}, actor=self.actor, reason=reason)
        own = PlannedPlacement.objects.filter(publication__in=self.by_reason.values())
        if own.filter(**places.columns(key)).exists():
            raise RequestRefused(
                _("Two of these pictures are for the same place. Give them positions of their own.")
            )
        publication, due_at = self.by_reason.get(reason), database_now() + PATIENCE
        # The row may be gone, with a transaction that was rolled back, or a worker may have published it.
        if publication is None or not _waiting(publication).update(due_at=due_at):
            publication = Publication.objects.create(
                title=_("Published in review"),
                actor=self.actor,
                by_person=self.actor is not None,
                reason=reason,
                state=PublicationState.WAITING,
                due_at=due_at,
            )
            self.by_reason[reason] = publication
        publications.write_plan(publication, {key: image})
        request_renditions([image])
        return publication


@contextmanager
def deferred(images: Iterable[int], *, actor: Actor) -> Iterator[DeferredPublications]:
    """Yield what publishes those of ``images``, by their keys, that lack files for web pages: none of them,
    unless more than ``publications.MOST_INLINE`` do. At the end, workers are woken."""
    rows = list(ProductImage.objects.filter(pk__in=set(images)).only("pk"))
    missing = frozenset(image.pk for image in renditions.without_files(rows))
    is_many = len(missing) > publications.MOST_INLINE
    together = DeferredPublications(missing if is_many else frozenset(), actor=actor)
    yield together
    if together.by_reason:
        for publication in together.by_reason.values():
            _waiting(publication).update(due_at=database_now())
        tasks.wake_up()


def leave_out(image: ProductImage, publication: Publication) -> bool:
    """Leave ``image`` out of ``publication``, which is cancelled without any other; return False if it has
    been published. Call it in a transaction."""
    open_rows = Publication.objects.filter(pk=publication.pk, published_at=None)
    # The write comes first. A worker that has read the pictures before finds another time, and reads again.
    waiting = open_rows.filter(state=PublicationState.WAITING)
    if not waiting.update(due_at=database_now()) and not open_rows.update(due_at=None):
        return False
    planned = publication.planned.all()
    planned.filter(image=image).delete()
    if not planned.exists():
        open_rows.update(state=PublicationState.CANCELLED, due_at=None)
    return True


def _waiting(publication: Publication) -> QuerySet[Publication]:
    return Publication.objects.filter(pk=publication.pk, state=PublicationState.WAITING)

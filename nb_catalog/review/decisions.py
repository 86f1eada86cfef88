"""Decisions under a key of the client's: carried out once, however often they are sent, and undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from nb_catalog.core.permissions import Action, may
from nb_catalog.core.states import ImageState, image_moves
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, NBCatalogError, ObjectGone, RequestRefused
from nb_catalog.models import (
    Placement,
    ProductImage,
    ReviewClaim,
    ReviewDecision,
    ReviewEvent,
)
from nb_catalog.models.images import ImageKind
from nb_catalog.models.transitions import last_decision, too_late
from nb_catalog.publishing import placements, places, renditions
from nb_catalog.review import services
from nb_catalog.review.deferred import DeferredPublications, deferred, leave_out
from nb_catalog.signals.events import record_move

PUBLISH: Final = "publish"
# Of one request: each takes some milliseconds.
MAX_DECISIONS: Final = 200
# What each decision needs.
ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "approve": Action.REVIEW,
        "reject": Action.REVIEW,
        "reconsider": Action.REVIEW,
        "retire": Action.REVIEW,
        "restore": Action.REVIEW,
        PUBLISH: Action.PUBLISH,
    }
)
_SERVICES: Final = {
    "approve": services.approve,
    "reject": services.reject,
    "reconsider": services.reconsider,
    "retire": services.retire,
    "restore": services.restore,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is decided about a picture. ``key`` is the client's own, and ``batch`` that of a decision about
    several. ``seen`` is the state in which the picture was shown; "" if that is not known. ``slot``,
    ``locale`` and ``position`` say where it is published."""

    key: UUID
    image: int
    verb: str
    seen: str = ""
    note: str = ""
    slot: str = ""
    locale: str = ""
    position: int = 0
    batch: UUID | None = None

    @property
    def place(self) -> dict[str, Any]:
        return {"slot": self.slot, "locale": self.locale, "position": self.position}


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoResult:
    """The decisions that are undone, and in ``refused`` a message for each that could not be."""

    undone: tuple[ReviewDecision, ...]
    refused: tuple[str, ...]


def decide(
    decision: Decision, *, actor: Actor, together: DeferredPublications | None = None
) -> ReviewDecision:
    """Carry out ``decision`` and return its row; if ``actor`` has sent its key before, return that row.

    A refusal is such a row too, with its ``problem``: sent again, it is refused again, whatever has happened
    to the picture meanwhile. A decision that is part of a batch is refused for a picture that
    ``needs_individual_review``, if it approves it. One about a picture that somebody else has moved since it
    was ``seen`` is refused. An approved picture is rejected if it was seen so. To publish a picture that
    waits for review approves it, with that permission; it stays approved if it cannot be published. A picture
    of ``together`` is published by a worker once its files are made: its row has the ``publication``.

    Raises ``PermissionDenied``; ``ObjectGone`` for a picture that does not exist.
    """
    if not may(actor, ACTIONS[decision.verb]):
        raise PermissionDenied
    rows = ReviewDecision.objects.filter(actor=actor, key=decision.key)
    if (earlier := rows.select_related("publication").first()) is not None:
        return earlier
    [image] = require_images([decision.image])
    if together is not None and (decision.verb != PUBLISH or image.pk not in together.images):
        together = None
    if decision.verb == PUBLISH and together is None:
        # Made before anything is locked. What is wrong with the picture is found again below.
        with suppress(NBCatalogError):
            renditions.renditions_of([image])
    with transaction.atomic():
        # Places before images, which is the order of all that locks both; and both before the row is
        # inserted, which takes a shared lock of the picture: of two who have that, none gets the other.
        current = None
        if decision.verb == PUBLISH and together is None:
            place = (image.content_type_id, image.object_id, *decision.place.values())
            current = places.lock_places([place]).get(place)
        before = _lock_states(image)
        try:
            # Inserted, not looked up first: of two requests at once the second has waited above.
            with transaction.atomic():
                row = ReviewDecision.objects.create(
                    key=decision.key, batch=decision.batch, image=image, actor=actor, verb=decision.verb
                )  # fmt: skip
        except IntegrityError:
            return rows.select_for_update().get()
        is_shown = current is not None and current.image_id == image.pk
        _carry_out(row, image, decision, before=before, is_shown=is_shown, together=together)
        row.save(update_fields=["before", "after", "place", "publication", "problem", "code"])
    return row


def decide_all(decisions: Sequence[Decision], *, actor: Actor) -> list[ReviewDecision]:
    """Carry out ``decisions``, one after another, and return their rows. If several pictures that are to be
    published lack files for web pages, a worker publishes these. Raises what ``decide`` does."""
    publishing = [each.image for each in decisions if each.verb == PUBLISH]
    with deferred(publishing, actor=actor) as together:
        return [decide(each, actor=actor, together=together) for each in decisions]


def require_images(keys: Iterable[int]) -> list[ProductImage]:
    """Return the pictures with ``keys``. Raises ``ObjectGone`` if one does not exist."""
    keys = list(keys)
    found = list(ProductImage.objects.filter(pk__in=keys, kind=ImageKind.PICTURE))
    if missing := sorted({*keys} - {image.pk for image in found}):
        names = ", ".join(map(str, missing))
        raise ObjectGone(_("Pictures that do not exist: %(keys)s.") % {"keys": names})
    return found


def _lock_states(image: ProductImage) -> dict[int, str]:
    """Lock ``image`` and the finals that are decided together with it, in one order; return their states."""
    together = Q(pk=image.pk)
    if image.draft_id is not None:
        together |= Q(draft=image.draft_id, kind=ImageKind.PICTURE)
    locked = ProductImage.objects.filter(together).order_by("pk").select_for_update()
    return dict(locked.values_list("pk", "state"))


def _carry_out(
    row: ReviewDecision,
    image: ProductImage,
    decision: Decision,
    *,
    before: Mapping[int, str],
    is_shown: bool,
    together: DeferredPublications | None,
) -> None:
    """Move ``image``, or say in ``row`` why not. What it changes is recorded there, to be undone.
    ``before`` has the states of the locked pictures; ``is_shown`` says that it is published there already.
    """
    image.state = before.get(image.pk, image.state)
    try:
        with transaction.atomic():
            if decision.seen not in ("", image.state):
                raise too_late(image, decision.verb)
            if decision.verb == PUBLISH:
                _publish(row, image, decision, is_shown=is_shown, together=together)
            else:
                if decision.verb == "reject" and decision.seen == ImageState.APPROVED:
                    services.reconsider(image, actor=row.actor, note=decision.note)
                if decision.verb == "approve" and decision.batch:
                    services.require_individual_review(image)
                _SERVICES[decision.verb](image, actor=row.actor, note=decision.note)
    except NBCatalogError as error:
        row.problem, row.code = str(error), error.code
    after = dict(ProductImage.objects.filter(pk__in=before).values_list("pk", "state"))
    moved = [pk for pk in before if before[pk] != after[pk]]
    row.before = {str(pk): before[pk] for pk in moved}
    row.after = {str(pk): after[pk] for pk in moved}
    if moved:
        ReviewClaim.objects.filter(image=image).delete()


def _publish(
    row: ReviewDecision,
    image: ProductImage,
    decision: Decision,
    *,
    is_shown: bool,
    together: DeferredPublications | None,
) -> None:
    if decision.batch and image.state == ImageState.PENDING:
        services.require_individual_review(image)
    if image.state == ImageState.PENDING and may(row.actor, Action.REVIEW):
        services.approve(image, actor=row.actor, note=decision.note)
    try:
        with transaction.atomic():
            if together is None:
                placements.publish(
                    image, **decision.place, actor=row.actor, reason=decision.note
                )  # fmt: skip
            else:
                place = (image.content_type_id, image.object_id, *decision.place.values())
                row.publication = together.add(image, place, reason=decision.note)
    except NBCatalogError as error:
        # Not raised: the approval stays.
        row.problem, row.code = str(error), error.code
        return
    # Where it was shown already, nothing has changed that could be undone.
    row.place = None if is_shown else decision.place


def undo(decisions: Iterable[ReviewDecision], *, actor: Actor) -> UndoResult:
    """Undo ``decisions``, the last first: each picture gets the state that it had, and its place what was
    there before. Each in a transaction of its own: one that cannot be undone does not stop the others. One
    about a picture that somebody else has moved or published there since is not undone.

    What is undone already stays so, and counts as undone. Raises ``PermissionDenied``.
    """
    undone: list[ReviewDecision] = []
    refused: list[str] = []
    for decision in sorted(decisions, key=lambda each: -each.pk):
        if not may(actor, ACTIONS[decision.verb]):
            raise PermissionDenied
        try:
            with transaction.atomic():
                _undo(decision, actor=actor)
        except NBCatalogError as error:
            refused.append(str(error))
        else:
            undone.append(decision)
    return UndoResult(undone=tuple(undone), refused=tuple(refused))


def _undo(decision: ReviewDecision, *, actor: Actor) -> None:
    open_rows = ReviewDecision.objects.filter(pk=decision.pk, undone_at=None)
    if not open_rows.update(undone_at=timezone.now()):
        return
    image, publication, place = decision.image, decision.publication, decision.place
    if (
        place is not None
        and publication is not None
        and (
            leave_out(image, publication)
            or not publication.events.filter(image_after=image, **place).exists()
        )
    ):
        # Nothing was changed there: it is not published yet, or was there before.
        place = None
    if place is not None:
        shown = Placement.objects.filter(image=image, **place).first()
        if shown is None:
            raise InvalidTransition(
                _("Another picture is published there now. Nothing was changed.")
            )
        if shown.actor_id != decision.actor_id:
            raise InvalidTransition(
                _("Somebody else has published it there since. Nothing was changed.")
            )
        product = image.catalog_object
        if product is None:
            raise ObjectGone(_("The product was deleted. Its picture can only be unpublished."))
        placements.roll_back(product, **place, actor=actor)
    rows = ProductImage.objects.filter(pk__in=map(int, decision.before)).order_by("pk")
    for moved in rows.select_for_update():
        # Somebody may also have led it back to the state that it got here.
        later = ReviewEvent.objects.filter(image=moved, at__gt=decision.at)
        since = later.exclude(actor=decision.actor_id).exists()
        if since or moved.state != decision.after[str(moved.pk)]:
            message = _("Picture %(pk)s is %(state)s now, and was left so.") % {
                "pk": moved.pk, "state": moved.get_state_display().lower()
            }  # fmt: skip
            raise InvalidTransition(f"{message} {last_decision(moved)}".strip())
        # It is led back to its state, without what else a decision does.
        services.require_unpublished(moved)
        if moved.pruned_at is not None:
            message = _("The file of picture %(pk)s was deleted. Generate another one.")
            raise RequestRefused(message % {"pk": moved.pk})
        for move in image_moves(moved.state, decision.before[str(moved.pk)]):
            record_move(moved, move, actor=actor, note=_("Undone."))

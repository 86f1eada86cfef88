"""Decisions of people about cut-outs. A decision and its event commit together, and can be undone.

Several are written in blocks, so that a selection of hundreds takes few queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.iteration import blocks
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Actor, PhotoKind, Size
from nb_catalog.cutouts.finding import forget
from nb_catalog.cutouts.photos import measure
from nb_catalog.cutouts.records import PHOTO_CHANGED
from nb_catalog.cutouts.stale import mark_pictures_stale, settle_doubts
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.imaging.cutout.mask_uploads import mask_from_upload
from nb_catalog.models import CutoutEvent, PhotoCutout
from nb_catalog.models.cutouts import PERSON, CutoutState
from nb_catalog.models.db.clock import database_now

# Cut-outs that are decided about in one transaction.
BLOCK: Final = 200
# What an event keeps of the cut-out before, beside the mask's file.
_RESTORED: Final = (
    "photo_sha256", "width", "height", "state", "kind", "mask_sha256", "method", "maker", "score",
    "reasons", "problem", "by_person",
)  # fmt: skip
_WRITTEN: Final = (*_RESTORED, "mask", "version", "requested_at", "made_at")

Snapshot = dict[str, Any]


def confirm(cutouts: Iterable[PhotoCutout], *, actor: Actor) -> int:
    """Say that the outlines of ``cutouts`` are right for their photos as they are now; return how many were
    doubtful and no longer are.

    Raises ``PictureError`` for a photo that was replaced and cannot be read, ``StorageFailed``.
    """
    rows = list(cutouts)
    replaced = {row.pk: measure(row) for row in rows if PHOTO_CHANGED in row.reasons}

    def change(row: PhotoCutout) -> bool:
        if row.state != CutoutState.DOUBTFUL:
            return False
        row.state = CutoutState.CONFIRMED
        if row.pk in replaced:
            row.photo_sha256, row.width, row.height = replaced[row.pk]
            row.reasons = [each for each in row.reasons if each != PHOTO_CHANGED]
        return True

    return _decide(rows, "confirm", change, actor=actor, then=settle_doubts)


def set_kind(cutouts: Iterable[PhotoCutout], kind: str, *, actor: Actor) -> int:
    """Decide what the photos are: a ``PhotoKind``, or "" for what the shop's source says.

    Return how many changed. Raises ``RequestRefused`` for an unknown kind.
    """
    if kind and kind not in PhotoKind.values:
        raise RequestRefused(
            _("There is no kind of photo %(kind)r.") % {"kind": kind}
            + nearest(kind, PhotoKind.values)
        )

    def change(row: PhotoCutout) -> bool:
        is_new, row.kind = row.kind != kind, kind
        return is_new

    return _decide(cutouts, "set_kind", change, actor=actor, then=mark_pictures_stale)


def replace_mask(
    cutout: PhotoCutout, data: bytes, *, actor: Actor, version: int | None = None
) -> None:
    """Store the mask that a person drew or uploaded: ``data`` is a picture file.

    The product is where a grey picture is white, or where a picture with transparency is opaque: both a mask
    and a cut photo will do. ``version`` is the one that the person has seen. Pictures that were made with
    another mask are stale from now on.

    Raises ``PictureError`` for a file that is not a sound picture, for a mask that does not fit the photo or
    shows nothing, and for a photo that cannot be read; ``StorageFailed``; ``InvalidTransition`` if someone
    else has changed it meanwhile.
    """
    photo = measure(cutout)
    mask = mask_from_upload(data, photo=Size(photo.width, photo.height), **picture_limits())
    stored = storage.store(mask, folder="masks", mime_type="image/png")
    with transaction.atomic():
        [row] = _locked([cutout.pk])
        if version is not None and version != row.version:
            raise InvalidTransition(
                _("Someone else has changed this cut-out meanwhile. Load it again.")
            )
        unchanged = row.person_mask == stored.sha256 and row.photo_sha256 == photo.photo_sha256
        if unchanged and row.state == CutoutState.CONFIRMED:
            return
        before = _snapshot(row)
        row.photo_sha256, row.width, row.height = photo
        row.mask, row.mask_sha256 = stored.name, stored.sha256
        row.state, row.method, row.maker, row.by_person = CutoutState.CONFIRMED, PERSON, "", True
        row.score, row.reasons, row.problem = None, [], ""
        row.made_at = database_now()
        _write([row], "replace_mask", before={row.pk: before}, actor=actor)
        mark_pictures_stale([row])


def mark_unusable(cutouts: Iterable[PhotoCutout], *, actor: Actor) -> int:
    """Say that these photos cannot be cut out; return how many were usable before.

    Pictures of them are refused from now on, whatever a backend finds. ``undo`` takes it back, and so does
    ``cut_again``.
    """

    def change(row: PhotoCutout) -> bool:
        if row.state == CutoutState.REFUSED:
            return False
        row.state, row.by_person = CutoutState.REFUSED, True
        row.problem = _("A person decided that this photo cannot be used.")
        row.requested_at = None
        return True

    return _decide(cutouts, "mark_unusable", change, actor=actor)


def cut_again(cutouts: Iterable[PhotoCutout], *, actor: Actor) -> int:
    """Give up what people have decided about the masks, and have the photos cut out by the backend; return
    how many.

    The caller wakes a worker. The masks stay in the history, and ``undo`` brings them back.
    """
    now = database_now()

    def change(row: PhotoCutout) -> bool:
        forget(row.photo_sha256)
        row.by_person, row.requested_at = False, now
        # A picture that is made before the worker gets there must not use what was given up.
        row.photo_sha256, row.state, row.problem = "", CutoutState.REQUESTED, ""
        row.method = ""
        return True

    return _decide(cutouts, "cut_again", change, actor=actor, then=mark_pictures_stale)


def undo(cutout: PhotoCutout, *, actor: Actor) -> None:
    """Take back the latest decision that was not taken back yet.

    Raises ``InvalidTransition`` if there is none.
    """
    if not undo_each([cutout], actor=actor):
        raise InvalidTransition(_("There is no decision about this cut-out to take back."))


def undo_each(cutouts: Iterable[PhotoCutout], *, actor: Actor) -> int:
    """Take back the latest decision about each of ``cutouts`` that has one; return how many had."""
    done = 0
    for keys in blocks((each.pk for each in cutouts), size=BLOCK):
        with transaction.atomic():
            rows = _locked(keys)
            # The latest event about each that was not taken back yet.
            undone: set[int] = set()
            events: dict[int, CutoutEvent] = {}
            for event in CutoutEvent.objects.filter(cutout__in=keys).order_by("-pk"):
                if event.move == "undo":
                    undone.add(event.before.get("undone", 0))
                elif event.pk not in undone:
                    events.setdefault(event.cutout_id, event)
            decided = [row for row in rows if row.pk in events]
            before = {}
            for row in decided:
                event = events[row.pk]
                before[row.pk] = _snapshot(row) | {"undone": event.pk}
                for name in _RESTORED:
                    setattr(row, name, event.before[name])
                row.mask = event.mask.name or ""
                # The backend's own result, which was never asked for, is not waited for any more.
                row.requested_at = None
            if decided:
                _write(decided, "undo", before=before, actor=actor)
                mark_pictures_stale(decided)
            done += len(decided)
    return done


def _decide(
    cutouts: Iterable[PhotoCutout],
    move: str,
    change: Callable[[PhotoCutout], bool],
    *,
    actor: Actor,
    then: Callable[[Sequence[PhotoCutout]], object] = lambda rows: None,
) -> int:
    """Write what ``change`` makes of each row, which returns whether it changed anything, with an event each.

    ``then`` is called with the changed rows of a block in the same transaction. Returns how many changed.
    """
    done = 0
    for keys in blocks((each.pk for each in cutouts), size=BLOCK):
        with transaction.atomic():
            rows = _locked(keys)
            before = {row.pk: _snapshot(row) for row in rows}
            changed = [row for row in rows if change(row)]
            if changed:
                _write(changed, move, before=before, actor=actor)
                then(changed)
            done += len(changed)
    return done


def _locked(keys: Sequence[int]) -> list[PhotoCutout]:
    return list(PhotoCutout.objects.select_for_update().filter(pk__in=keys).order_by("pk"))


def _snapshot(row: PhotoCutout) -> Snapshot:
    return {"mask": row.mask.name or "", **{name: getattr(row, name) for name in _RESTORED}}


def _write(
    rows: Sequence[PhotoCutout], move: str, *, before: dict[int, Snapshot], actor: Actor
) -> None:
    for row in rows:
        row.version += 1
    # An upsert of whole rows, which are locked: a CASE for every column of every row would be slow.
    target = ("id",) if connection.features.supports_update_conflicts_with_target else None
    PhotoCutout.objects.bulk_create(
        rows, update_conflicts=True, update_fields=_WRITTEN, unique_fields=target
    )
    CutoutEvent.objects.bulk_create(
        CutoutEvent(
            cutout_id=row.pk,
            move=move,
            actor=actor,
            before={name: value for name, value in before[row.pk].items() if name != "mask"},
            mask=before[row.pk]["mask"],
        )
        for row in rows
    )

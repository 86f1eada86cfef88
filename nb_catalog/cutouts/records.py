"""The rows of cut-outs: looked up for many photos at once, written without replacing what a person made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self, TypeAlias

from django.db import transaction

from nb_catalog.core.text import strip_unstorable
from nb_catalog.core.types import Photo, PhotoKind
from nb_catalog.cutouts.finding import FoundCutout
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import ObjectKey
from nb_catalog.models.photos import photo_key

# A photo of a catalog object: content type, key of the object, key of the photo.
PhotoPlace: TypeAlias = tuple[int, str, str]

CUTOUT_CHECK = "cutout"
"""The entry in an image's ``checks``: method, score and reasons of its cut-out."""
PHOTO_CHANGED = "photo_changed"
"""The reason for a mask that a person made of a photo whose file was replaced since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCutout:
    """A cut-out as the worker and plans use it. ``kind`` is a person's decision, or "".
    ``width`` and ``height`` are the photo's pixels, 0 if unknown."""

    pk: int
    photo_sha256: str
    width: int
    height: int
    state: CutoutState
    kind: str
    suggested_kind: str
    mask: str
    mask_sha256: str
    method: str
    score: float | None
    reasons: tuple[str, ...]
    problem: str
    by_person: bool
    person_mask: str

    @classmethod
    def of(cls, row: PhotoCutout) -> Self:
        return cls(
            pk=row.pk,
            photo_sha256=row.photo_sha256,
            width=row.width,
            height=row.height,
            state=CutoutState(row.state),
            kind=row.kind,
            suggested_kind=row.suggested_kind,
            mask=str(row.mask.name or ""),
            mask_sha256=row.mask_sha256,
            method=row.method,
            score=row.score,
            reasons=tuple(row.reasons),
            problem=row.problem,
            by_person=row.by_person,
            person_mask=row.person_mask,
        )

    @property
    def is_made(self) -> bool:
        """Whether the photo has been looked at, with whatever result."""
        return bool(self.photo_sha256)

    @property
    def needs_a_look(self) -> bool:
        """Whether a picture made with it needs a person who looks at the outline."""
        return self.state == CutoutState.DOUBTFUL


def stored_cutouts(places: Iterable[PhotoPlace]) -> dict[PhotoPlace, StoredCutout]:
    """Return the cut-outs of photos, as far as there are rows. One query."""
    wanted = set(places)
    if not wanted:
        return {}
    objects: set[ObjectKey] = {(type_id, key) for type_id, key, _ in wanted}
    rows = PhotoCutout.objects.about_keys(objects).filter(key__in={key for _, _, key in wanted})
    return {
        place: StoredCutout.of(row)
        for row in rows
        if (place := (row.content_type_id, row.object_id, row.key)) in wanted
    }


def record(
    found: FoundCutout, *, owner: ObjectKey, photo: Photo, requested_at: datetime | None = None
) -> StoredCutout:
    """Write what was found in ``photo`` of the object ``owner``, and return what holds now.

    A mask that a person made stays; if it was made of other bytes under the same name, it is doubtful from
    now on. So does a person's decision that the photo cannot be used. With ``requested_at``, a row that was
    requested again since is left for the next time.
    """
    type_id, object_id = owner
    place = {"content_type_id": type_id, "object_id": object_id, "key": photo_key(photo)}
    with transaction.atomic():
        # Locked by the first query if it is there, and by its insertion if it is not.
        row, _created = PhotoCutout.objects.select_for_update().get_or_create(
            **place, defaults={"name": strip_unstorable(photo.name)}
        )
        if requested_at is not None and row.requested_at not in (None, requested_at):
            return StoredCutout.of(row)
        if row.by_person:
            is_other_photo = row.photo_sha256 != found.photo_sha256
            if is_other_photo and row.state != CutoutState.REFUSED:
                row.state, row.reasons = CutoutState.DOUBTFUL, [PHOTO_CHANGED]
        else:
            same_photo = row.photo_sha256 == found.photo_sha256
            same_mask = same_photo and row.mask_sha256 == found.mask_sha256
            # Somebody has looked at this very mask.
            is_confirmed = row.state == CutoutState.CONFIRMED and same_mask
            row.photo_sha256 = found.photo_sha256
            row.width, row.height = found.width, found.height
            row.mask, row.mask_sha256 = found.mask, found.mask_sha256
            row.method, row.maker = found.method, found.maker
            row.score, row.reasons = found.score, list(found.reasons)
            row.problem, kind = found.problem, found.suggested_kind
            row.suggested_kind = kind if kind in PhotoKind.values else ""
            row.made_at = database_now()
            if found.problem:
                row.state = CutoutState.REFUSED
            elif is_confirmed or not found.reasons:
                row.state = CutoutState.CONFIRMED if is_confirmed else CutoutState.ACCEPTED
            else:
                row.state = CutoutState.DOUBTFUL
        row.requested_at = None
        row.save()
    return StoredCutout.of(row)

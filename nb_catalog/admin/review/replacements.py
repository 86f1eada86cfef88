"""Which picture would replace a published one, and which pictures replace outdated ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import F

from nb_catalog.core.states import JOB_UNDERWAY, ImageState
from nb_catalog.core.types import JobKind
from nb_catalog.models import ImageJob, Placement, ProductImage
from nb_catalog.models.generic import key_condition
from nb_catalog.models.images import ImageKind

_REPLACING_STATES: Final = (ImageState.PENDING, ImageState.APPROVED)
# Outdated placements that are looked at together. Specs of their pictures are read.
MAX_OUTDATED: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What replaces an outdated picture: a picture that exists, or the run that makes it."""

    image_id: int | None = None
    run_id: int | None = None
    is_approved: bool = False


def previous_placements(images: Sequence[ProductImage]) -> dict[int, Placement]:
    """Return, by image key, the placement whose picture each of ``images`` would replace.

    That picture was made from an equal request, or has text in the same layout and language on
    the same base image, typeset or painted. At most two queries.
    """
    candidates = [image for image in images if image.state in _REPLACING_STATES]
    rows = Placement.objects.filter(
        image__request_hash__in={image.request_hash for image in candidates}
    )
    by_hash = {
        placement.image_hash: placement
        for placement in rows.annotate(image_hash=F("image__request_hash")).defer("picture_data")
    }
    previous: dict[int, Placement] = {}
    with_text = [image for image in candidates if image.spec.get("base")]
    if with_text:
        rows = Placement.objects.filter(
            content_type__in={image.content_type_id for image in with_text},
            object_id__in={image.object_id for image in with_text},
            image__locale__in={image.locale for image in with_text},
        ).select_related("image")
        rows = rows.defer("picture_data", "image__provenance", "image__checks")
        by_text = {_text_key(placement.image): placement for placement in rows}
        for image in with_text:
            if (placement := by_text.get(_text_key(image))) is not None:
                previous[image.pk] = placement
    for image in candidates:
        if (placement := by_hash.get(image.request_hash)) is not None:
            previous[image.pk] = placement
    return previous


def replacements_of(placements: Sequence[Placement]) -> dict[int, Replacement]:
    """Return, by key, what replaces those of ``placements`` that are out of date. At most two queries.

    A replacement has text in the same layout and language on the same base image. It is newer than the
    published picture, and waits to be reviewed or published; or a job is making it.
    """
    stale = [
        each for each in placements if each.stale_since is not None and each.image.spec.get("base")
    ]
    if not stale:
        return {}
    published = {_text_key(each.image): each.image_id for each in stale}
    about = key_condition({(each.content_type_id, each.object_id) for each in stale})
    found: dict[tuple[object, ...], Replacement] = {}
    jobs = ImageJob.objects.filter(about, state__in=JOB_UNDERWAY, kind=JobKind.IMAGE)
    for job in jobs.only("content_type_id", "object_id", "run_id", "spec"):
        found[_text_key(job)] = Replacement(run_id=job.run_id)
    images = ProductImage.objects.filter(
        about,
        pk__gt=min(published.values()),
        kind=ImageKind.PICTURE,
        state__in=_REPLACING_STATES,
        locale__gt="",
    )
    for image in images.only("content_type_id", "object_id", "state", "spec").order_by("pk"):
        key = _text_key(image)
        if image.pk > published.get(key, image.pk):
            is_approved = image.state == ImageState.APPROVED
            found[key] = Replacement(image_id=image.pk, is_approved=is_approved)
    return {each.pk: found[key] for each in stale if (key := _text_key(each.image)) in found}


def _text_key(row: ImageJob | ProductImage) -> tuple[object, ...]:
    """Return what a picture with text and its replacement have in common."""
    fields = (row.spec.get(name) for name in ("locale", "layout", "base"))
    return (row.content_type_id, row.object_id, *fields)

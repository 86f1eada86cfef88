"""The cut-out of a job's photo: the stored one, or a new one that is recorded for every later picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from nb_catalog import storage
from nb_catalog.core.text import message as _
from nb_catalog.core.types import Reference
from nb_catalog.cutouts import FoundCutout, StoredCutout, find_cutout, record, stored_cutouts
from nb_catalog.cutouts.finding import forget
from nb_catalog.cutouts.records import CUTOUT_CHECK, PhotoPlace
from nb_catalog.exceptions import (
    CutoutRefused,
    InvalidSettings,
    PictureMissing,
    RequestRejected,
)
from nb_catalog.imaging.locked import least_certain
from nb_catalog.models.photos import photo_key
from nb_catalog.registry import source_for
from nb_catalog.worker.types import ClaimedJob


def with_stored_cutouts(jobs: Iterable[ClaimedJob]) -> list[ClaimedJob]:
    """Look up the cut-outs of the photos of ``jobs``, which have been looked up. One query."""
    jobs = list(jobs)
    places: dict[int, PhotoPlace] = {}
    for number, job in enumerate(jobs):
        if not job.requests_texts and job.photo is not None and _uses_cutout(job):
            places[number] = (job.content_type_id, job.object_id, photo_key(job.photo))
    stored = stored_cutouts(places.values())
    return [
        replace(job, cutout=stored.get(places[number])) if number in places else job
        for number, job in enumerate(jobs)
    ]


def with_cutout(job: ClaimedJob, photo: bytes) -> ClaimedJob:
    """Return ``job`` with the cut-out of ``photo``, the bytes of its photo. Runs in a pool thread.

    What is not in the database yet is in ``found``. If there is no cut-out, ``problem`` says why. Raises
    ``PictureError`` for a file that is not a sound picture, ``StorageFailed``.
    """
    if not _uses_cutout(job):
        return job
    stored, digest = job.cutout, sha256(photo).hexdigest()
    if stored is not None and stored.by_person:
        if stored.photo_sha256 == digest or stored.problem:
            return replace(job, problem=_problem(stored.problem))
        # Recorded without a mask: the person's stays, and is doubtful from now on.
        return replace(
            job,
            found=FoundCutout(photo_sha256=digest, width=0, height=0),
            problem=CutoutRefused(
                _(
                    "The photo was replaced after a person had made its cut-out, which may not fit any "
                    "more. Look at the cut-out: save it again, or have the photo cut out again."
                )
            ),
        )
    if stored is None or stored.photo_sha256 != digest:
        try:
            found = find_cutout(photo, source=source_for(job.image_spec.object_type))
        except InvalidSettings as error:
            return replace(job, problem=RequestRejected(str(error)))
        if not found.is_stored:
            return replace(job, cutout=None)
        return replace(job, found=found, problem=_problem(found.problem))
    return replace(job, problem=_problem(stored.problem))


def _uses_cutout(job: ClaimedJob) -> bool:
    """Return whether the product is set into the picture, or compared with what a model draws."""
    return job.image_spec.needs_cutout or job.image_spec.redraws_product


def with_masks(job: ClaimedJob, photo: bytes) -> tuple[ClaimedJob, tuple[Reference, ...]]:
    """Return what ``with_cutout`` does, and the mask as a reference.

    A machine's mask whose file is gone is found again; a person's is not, and raises ``PictureMissing``.
    """
    job = with_cutout(job, photo)
    try:
        return job, () if job.problem else mask_references(job)
    except PictureMissing:
        if _is_by_person(job):
            raise
    forget(sha256(photo).hexdigest())
    job = with_cutout(replace(job, cutout=None, found=None), photo)
    return job, () if job.problem else mask_references(job)


def for_comparison(job: ClaimedJob, photo: bytes) -> ClaimedJob:
    """Return ``job``, of a picture that a model draws, with the cut-out that it will be compared with. A
    product that cannot be cut out is not a problem: its picture is not compared."""
    return replace(with_cutout(job, photo), problem=None)


def _is_by_person(job: ClaimedJob) -> bool:
    return job.found is None and job.cutout is not None and bool(job.cutout.person_mask)


def record_found(job: ClaimedJob) -> ClaimedJob:
    """Write what was found for ``job`` or its parts, and return it with what holds now. Uses the database."""
    if job.parts:
        return replace(job, parts=tuple(map(record_found, job.parts)))
    if job.found is None or job.photo is None:
        return job
    owner = job.content_type_id, job.object_id
    return replace(job, cutout=record(job.found, owner=owner, photo=job.photo), found=None)


def mask_references(job: ClaimedJob) -> tuple[Reference, ...]:
    """Return the mask as a reference, a PNG; nothing for a photo whose own transparency is the outline.

    The edge of a machine's mask, the role "found_mask", is refined; a person's, "mask", stays as it was
    drawn. Raises ``StorageFailed``, ``PictureMissing``.
    """
    cutout = job.found or job.cutout
    if cutout is None or not cutout.mask:
        return ()
    role = "mask" if _is_by_person(job) else "found_mask"
    return (Reference(data=storage.read(cutout.mask), mime_type="image/png", role=role),)


def cutout_check(job: ClaimedJob) -> dict[str, Any]:
    """Return what is stored with a picture about its cut-out; empty if it has none.

    Of a bundle it is the check of the part whose cut-out is least certain, with the doubts about all of them.
    """
    checks = [check[CUTOUT_CHECK] for part in job.parts if (check := cutout_check(part))]
    if checks:
        return {CUTOUT_CHECK: least_certain(checks)}
    if job.parts:
        return {}
    cutout: StoredCutout | FoundCutout | None = job.found or job.cutout
    if cutout is None or not job.image_spec.needs_cutout:
        return {}
    # Somebody has looked at a confirmed one, so its doubts are settled.
    settled = isinstance(cutout, StoredCutout) and not cutout.needs_a_look
    return {
        CUTOUT_CHECK: {
            "method": cutout.method,
            "score": cutout.score,
            "reasons": [] if settled else list(cutout.reasons),
        }
    }


def _problem(text: str) -> CutoutRefused | None:
    return CutoutRefused(text) if text else None

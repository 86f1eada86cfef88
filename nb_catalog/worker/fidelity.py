"""Whether a model kept the product: the picture compared with the product's photo. Runs in a pool thread."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from nb_catalog import storage
from nb_catalog.conf import picture_limits, settings
from nb_catalog.core import logs
from nb_catalog.core.colours import rgb_of
from nb_catalog.core.types import PhotoKind
from nb_catalog.exceptions import PictureError, StorageFailed
from nb_catalog.imaging.fidelity import (
    BORDER,
    FIDELITY_CHECK,
    Fidelity,
    check_fidelity,
)
from nb_catalog.imaging.fidelity.report import BUNDLE, WORDS
from nb_catalog.imaging.inspect import OpenedPicture
from nb_catalog.registry import read_photo
from nb_catalog.typesetting.printed_words import compare_words
from nb_catalog.worker.types import ClaimedJob

logger = logging.getLogger(__name__)


def fidelity_check(job: ClaimedJob, picture: OpenedPicture) -> dict[str, Any]:
    """Return the check of the product on ``picture``; empty if no model drew it."""
    if not job.image_spec.redraws_product:
        return {}
    try:
        fidelity = _compare(job, picture)
    except Exception:  # noqa: BLE001 - what was paid for is kept, compared or not
        logger.exception(
            "The picture of job %s cannot be compared with the product's photo.",
            job.job_id,
            extra=logs.fields(**job.labels),
        )
        fidelity = Fidelity(score=None, left_out=("failed",))
    return {FIDELITY_CHECK: fidelity.as_dict()}


def _compare(job: ClaimedJob, picture: OpenedPicture) -> Fidelity:
    if job.image_spec.parts:
        return Fidelity(score=None, left_out=(BUNDLE,))
    cutout = job.found or job.cutout
    if job.photo is None:
        return Fidelity(score=None, left_out=("no_photo",))
    kind = job.image_spec.photo_kind or (job.cutout.kind if job.cutout else "")
    if kind == PhotoKind.LIFESTYLE:
        return Fidelity(score=None, left_out=("scene_photo",))
    is_full_frame = kind == PhotoKind.FULL_FRAME
    if not is_full_frame and (cutout is None or cutout.problem or not cutout.method):
        return Fidelity(score=None, left_out=("no_cutout",))
    try:
        photo = read_photo(job.photo)
        name = "" if is_full_frame or cutout is None else cutout.mask
        mask = storage.read(name) if name else None
    except (PictureError, StorageFailed):
        return Fidelity(score=None, left_out=("no_photo",))
    checked = check_fidelity(
        photo,
        picture.image,
        mask=mask,
        is_full_frame=is_full_frame,
        colour=rgb_of(job.image_spec.colour) if job.image_spec.colour else None,
        thresholds=settings.FIDELITY["THRESHOLDS"],
        **picture_limits(),
    )
    fidelity = checked.fidelity
    if checked.before is not None and checked.after is not None:
        words = compare_words(checked.before, checked.after)
        if words is None:
            fidelity = replace(fidelity, left_out=(*fidelity.left_out, WORDS))
        elif words.gone or words.added:
            # What is lost of a word is flagged, however small.
            fidelity = replace(
                fidelity,
                score=min(fidelity.score or 0.0, BORDER / 2),
                reasons=(*fidelity.reasons, WORDS),
                gone=words.gone,
                added=words.added,
            )
    if cutout is not None and cutout.reasons and not is_full_frame:
        fidelity = replace(fidelity, left_out=(*fidelity.left_out, "doubtful_cutout"))
    return fidelity

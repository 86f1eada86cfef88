"""Edits on their way: the picture that is changed, and what is known of its product. Runs in pool threads."""

from __future__ import annotations

import logging
from typing import Any, Final

from nb_catalog import storage
from nb_catalog.conf import picture_limits, settings
from nb_catalog.core import logs
from nb_catalog.core.types import PARENT, Rect, Reference, Size
from nb_catalog.exceptions import PictureError, StorageFailed
from nb_catalog.imaging.adjust import EDIT_CHECK, ProductMask, mask_in_picture
from nb_catalog.imaging.adjust.geometry import matrix_of
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.colour_shift import RELIT_CHECK
from nb_catalog.imaging.cutout.mask_files import read_mask
from nb_catalog.imaging.drift import look_of, look_of_file, measure_drift
from nb_catalog.imaging.edit_area import Merged, merge_area_files
from nb_catalog.imaging.fidelity import check_fidelity
from nb_catalog.imaging.inspect import OpenedPicture, examine
from nb_catalog.imaging.locked import cut_out_photo
from nb_catalog.imaging.product_box import find_product_in
from nb_catalog.imaging.provenance import DigitalSourceType, source_type_for, strongest
from nb_catalog.registry import read_photo
from nb_catalog.worker import cutouts, series
from nb_catalog.worker.types import ClaimedJob

logger = logging.getLogger(__name__)

PRODUCT_SIDE: Final = 1024
"""Pixels of the picture in which the product is searched for."""


def adjusted_references(job: ClaimedJob) -> tuple[ClaimedJob, tuple[Reference, ...]]:
    """Return ``job``, and what the editor needs: the picture, and the product's mask if it was planned.

    Raises ``PictureError``, ``StorageFailed``.
    """
    edit = job.image_spec.edit
    data = storage.read(str(edit["file"]))
    facts = examine(data, decode=False, **picture_limits())
    references = [Reference(data=data, mime_type=facts.mime_type, role=PARENT)]
    if mask := edit.get("mask"):
        file = storage.read(str(mask["file"]))
        references.append(Reference(data=file, mime_type="image/png", role="mask"))
    return for_comparison(job), tuple(references)


def for_comparison(job: ClaimedJob) -> ClaimedJob:
    """Return ``job`` with the cut-out that its picture will be compared with, if a model drew the product.

    Without photo or cut-out the picture is not compared; it is made all the same.
    """
    if job.photo is None or not job.image_spec.redraws_product or job.image_spec.parts:
        return job
    try:
        return cutouts.for_comparison(job, read_photo(job.photo))
    except (PictureError, StorageFailed):
        logger.warning(
            "The product's photo of job %s cannot be read: its edit is not compared with it.",
            job.job_id,
            extra=logs.fields(**job.labels),
        )
        return job


def mark_of(job: ClaimedJob, *, drawn: DigitalSourceType) -> DigitalSourceType:
    """Return the mark of an edit of a part of a picture: what was there, and what a model has drawn."""
    edit = job.image_spec.edit
    kept = bool(edit.get("keeps_product"))
    added = source_type_for(model_drew_background=True, model_drew_product=False)
    return strongest(DigitalSourceType(edit["origin"]), added if kept else drawn)


def merged_edit(job: ClaimedJob, answer: bytes, *, mark: DigitalSourceType) -> Merged:
    """Return ``answer`` with the rest of the picture put back. Raises ``PictureError``, ``StorageFailed``."""
    edit = job.image_spec.edit
    return merge_area_files(
        storage.read(str(edit["file"])),
        answer,
        area=storage.read(str(edit["area"]["file"])),
        mark=mark,
        **picture_limits(),
    )


def edit_checks(
    job: ClaimedJob, picture: OpenedPicture, *, merged: Merged | None = None
) -> dict[str, Any]:
    """Return what the checks of an edit hold: where its product is, and how far it is from its parent.

    The comparison with the product's photo is a check of its own, and so is that with the anchor of a series.
    """
    edit = job.image_spec.edit
    try:
        return _edit_checks(job, picture, merged=merged)
    except Exception:  # noqa: BLE001 - what was paid for is kept, compared or not
        logger.exception(
            "The edit of job %s cannot be compared with the picture before.",
            job.job_id,
            extra=logs.fields(**job.labels),
        )
        kept = (
            {"product": edit["product"]} if edit.get("keeps_product") and "product" in edit else {}
        )
        return {EDIT_CHECK: {"missing": "failed", **(merged.report() if merged else {})}, **kept}


def _edit_checks(
    job: ClaimedJob, picture: OpenedPicture, *, merged: Merged | None
) -> dict[str, Any]:
    spec, limits = job.image_spec, picture_limits()
    edit = spec.edit
    before = storage.read(str(edit["file"]))
    facts = examine(before, decode=False, **limits)
    size = Size(facts.width, facts.height)
    expected = Box.of(Rect(*edit["product"]), size) if edit.get("product") else None
    kept = bool(edit.get("keeps_product"))
    # Its place is measured in a picture that a model drew all of, and known where its pixels were kept.
    product = expected if kept else _measured_product(job, picture, expected=expected)
    found: dict[str, Any] = dict(merged.report()) if merged else {}
    if kept:
        found |= {name: edit[name] for name in ("place", "matrix") if name in edit}
    if expected is not None and product is not None:
        drift = measure_drift(
            look_of_file(before, product=expected, **limits),
            look_of(picture.image, product=product),
            expected=expected,
        )
        found["drift"] = drift.as_dict()
    if not kept and (mask := _mask_before(job, before)) is not None:
        checked = check_fidelity(
            before, picture.image, mask=mask, thresholds=settings.FIDELITY["THRESHOLDS"], **limits
        )
        found["fidelity"] = checked.fidelity.as_dict()
    made = Size(picture.facts.width, picture.facts.height)
    checks: dict[str, Any] = {EDIT_CHECK: found}
    if product is not None:
        checks["product"] = list(product.rect(made))
    if kept and edit.get("relit"):
        checks[RELIT_CHECK] = dict(edit["relit"])
    return {**checks, **series.drift_check(job, picture, product=product)}


def _measured_product(
    job: ClaimedJob, picture: OpenedPicture, *, expected: Box | None
) -> Box | None:
    """Return where the product is in a picture that a model drew, if two ways agree on it."""
    cutout = job.found or job.cutout
    is_full_frame = job.image_spec.is_full_frame
    if expected is None or job.photo is None or is_full_frame:
        return None
    if cutout is None or cutout.problem or not cutout.method:
        return None
    limits = picture_limits()
    mask = read_mask(storage.read(cutout.mask), **limits) if cutout.mask else None
    product = cut_out_photo(
        read_photo(job.photo), alpha=mask, picture_side=PRODUCT_SIDE, **limits
    )  # fmt: skip
    return find_product_in(picture.image, product=product, expected=expected)


def _mask_before(job: ClaimedJob, before: bytes) -> bytes | None:
    """Return a PNG file of the product's alpha in the picture that is edited; None if it is not known."""
    edit, limits = job.image_spec.edit, picture_limits()
    if "mask" not in edit or "place" not in edit:
        return None
    try:
        return mask_in_picture(
            before,
            ProductMask(
                file=storage.read(str(edit["mask"]["file"])),
                place=Rect(*edit["place"]),
                matrix=matrix_of(edit.get("matrix")),
                refine=bool(edit["mask"]["refine"]),
            ),
            **limits,
        )
    except PictureError:
        return None

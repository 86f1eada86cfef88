"""From a provider's response to pictures in the storage, or to texts. Runs in a pool thread; touches no
table."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core import logs, tracing
from nb_catalog.core.text import strip_unstorable
from nb_catalog.core.types import Rect, Size
from nb_catalog.cutouts.finding import backend_of
from nb_catalog.exceptions import (
    AnswerTooLarge,
    NBCatalogError,
    NoPicture,
    ObjectGone,
    PictureError,
    PictureTooLarge,
    StorageFailed,
)
from nb_catalog.imaging import locked
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.bundles import compose_bundle_into
from nb_catalog.imaging.edit_area import Merged
from nb_catalog.imaging.inspect import OpenedPicture, examine, examine_and_open
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark, source_type_for
from nb_catalog.imaging.reframe import FRAMING_CHECK, FramedFile
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.base import Provider
from nb_catalog.providers.model_specs import is_version_of
from nb_catalog.providers.model_specs.sizes import SIZE_CHECK, compare_size
from nb_catalog.providers.text_base import TextProvider
from nb_catalog.providers.types import ImageResult
from nb_catalog.registry import read_photo, source_for
from nb_catalog.typesetting import ocr_detect
from nb_catalog.typesetting.ocr_diff import OCR_CHECK, OcrComparison
from nb_catalog.typesetting.ocr_missing import missing_because
from nb_catalog.worker import bundles, cutouts, edits, finals, series, spool, texts
from nb_catalog.worker.fidelity import fidelity_check
from nb_catalog.worker.outcomes import outcome_for_result
from nb_catalog.worker.types import ClaimedJob, JobOutcome, StoredImage

logger = logging.getLogger(__name__)

# In pixels: what is smaller shows nothing.
LEAST_SIDE: Final = 32
# What Google documents as "a few percent" (``model_specs.sizes``).
SAME_RATIO: Final = 0.01
SAME_SIZE: Final = 0.97

# (requested, actual) models for which a warning was logged. Results are stored in several threads.
_warned: set[tuple[str, str]] = set()
_warning = threading.Lock()


def spool_result(job: ClaimedJob, result: ImageResult, *, again: bool = False) -> ImageResult:
    """Write a picture that has just come to the spool, and return ``result`` without its bytes.

    What was paid for goes to disk before anything else happens; without its bytes a crowd of results
    does not fill the memory. The bytes stay if the disk does not take them, which is logged the first
    time.
    """
    if job.is_free:
        return result
    try:
        spool.put(job.spool_name, result)
    except OSError as error:
        if not again:
            logger.error(
                "The staging directory does not take the picture of job %s (%s): it is in memory only.",
                job.job_id,
                error.strerror,
                extra=logs.fields(**job.labels),
            )
        return result
    return replace(result, data=b"")


def store_result(
    job: ClaimedJob, result: ImageResult, *, provider: Provider | TextProvider[Any]
) -> JobOutcome:
    """Check and store a picture, read from the spool if it is there, and return the job's outcome.

    Texts are checked only: they are stored in the transaction that ends the job. A locked product is
    composed on a background that came without it. If that fails, the background is kept all the same,
    because it is paid for.

    Raises ``NoPicture`` when the bytes are not a sound picture, ``NoText`` when no text can be used,
    ``StorageFailed`` when the storage
    did not take them or the spool has lost them.
    """
    with tracing.span("keep", job=job.job_id):
        if not result.data:
            spooled = spool.get(job.spool_name)
            if spooled is None:
                raise StorageFailed("The picture is gone from the staging directory.")
            result = spooled
        if isinstance(provider, TextProvider):
            return texts.outcome_of(job, result, provider=provider)
        picture = _examine_result(job, result)
        if job.image_spec.edit and not provider.composites:
            return _store_edit(job, result, picture)
        if provider.composites or not job.image_spec.locked:
            # A provider that does not mark its picture is taken to have drawn all of it.
            mark = read_mark(result.data) or DigitalSourceType.MODEL
            framed = series.framed_member(job, picture, mark=mark)
            if framed is not None:
                return _store_framed(job, result, picture, framed=framed, mark=mark)
            stored = _store(job, result, picture, kind=ImageKind.PICTURE, mark=mark)
            place = result.report.get("product")
            size = Size(stored.width, stored.height)
            product = Box.of(Rect(*place), size) if place else None
            compared = {
                **series.drift_check(job, picture, product=product),
                **finals.composition_check(job, picture.data, product=product),
            }
            return outcome_for_result(job, (_with_checks(stored, compared),), result)
        return _store_locked(job, result, picture)


def _store_locked(job: ClaimedJob, result: ImageResult, opened: OpenedPicture) -> JobOutcome:
    """Compose the product on ``result``, a background, and store both."""
    composed: locked.Composed | None = None
    problem: NBCatalogError | None = None
    try:
        if job.photo is None:
            raise job.problem or PictureError("The product's photo is gone.")
        # Composed before anything is stored: when the storage fails, it fails for both.
        job, composed = _compose(job, result.data)
    except (PictureError, ObjectGone) as error:
        # The photo was good when the call went out.
        problem = error
    background = _store(job, result, opened, kind=ImageKind.BACKDROP, mark=DigitalSourceType.MODEL)
    if composed is None:
        return outcome_for_result(job, (background,), result, problem=problem)
    opened = _open(job, composed.data)
    picture = _store(
        job,
        result,
        opened,
        kind=ImageKind.PICTURE,
        mark=source_type_for(model_drew_background=True, model_drew_product=False),
    )
    size = Size(picture.width, picture.height)
    product = Box.of(composed.product, size)
    report = {
        "product": list(composed.product),
        **composed.report,
        **series.drift_check(job, opened, product=product),
        **finals.composition_check(job, composed.data, product=product),
    }
    return outcome_for_result(job, (background, _with_checks(picture, report)), result)


def _store_edit(job: ClaimedJob, result: ImageResult, answer: OpenedPicture) -> JobOutcome:
    """Store an edit, and the model's answer if the rest of the picture was put back over it."""
    drawn = read_mark(result.data) or DigitalSourceType.MODEL
    if "area" not in job.image_spec.edit:
        picture = _store(job, result, answer, kind=ImageKind.PICTURE, mark=drawn)
        checks = edits.edit_checks(job, answer)
        return outcome_for_result(job, (_with_checks(picture, checks),), result)
    mark = edits.mark_of(job, drawn=drawn)
    merged: Merged | None = None
    problem: NBCatalogError | None = None
    try:
        merged = edits.merged_edit(job, result.data, mark=mark)
    except PictureError as error:
        # The picture was good when the call went out.
        problem = error
    unmerged = _store(job, result, answer, kind=ImageKind.UNMERGED, mark=drawn)
    if merged is None:
        return outcome_for_result(job, (unmerged,), result, problem=problem)
    opened = _open(job, merged.data)
    picture = _store(job, result, opened, kind=ImageKind.PICTURE, mark=mark)
    checks = edits.edit_checks(job, opened, merged=merged)
    return outcome_for_result(job, (unmerged, _with_checks(picture, checks)), result)


def _store_framed(
    job: ClaimedJob,
    result: ImageResult,
    original: OpenedPicture,
    *,
    framed: FramedFile,
    mark: DigitalSourceType,
) -> JobOutcome:
    """Store a painted member of a series, and the picture that it was framed from if that was possible."""
    size = Size(original.facts.width, original.facts.height)
    product = {} if framed.product is None else {"product": list(framed.product.rect(size))}
    picture = original if framed.data is None else _open(job, framed.data)
    report = {
        FRAMING_CHECK: dict(framed.report),
        **product,
        **series.drift_check(job, picture, product=framed.product, wanted=framed.wanted),
        **finals.composition_check(job, picture.data, product=framed.product),
    }
    unframed = (
        ()
        if framed.data is None
        else (_store(job, result, original, kind=ImageKind.UNFRAMED, mark=mark),)
    )
    stored = _store(job, result, picture, kind=ImageKind.PICTURE, mark=mark)
    return outcome_for_result(job, (*unframed, _with_checks(stored, report)), result)


def _with_checks(picture: StoredImage, checks: Mapping[str, Any]) -> StoredImage:
    return replace(picture, checks={**picture.checks, **checks}) if checks else picture


def _compose(job: ClaimedJob, background: bytes) -> tuple[ClaimedJob, locked.Composed]:
    """Return ``job`` with its cut-outs, and its product or products on ``background``."""
    spec, limits = job.image_spec, picture_limits()
    if spec.parts:
        job, files = bundles.read_parts(job)
        if job.problem is not None:
            raise job.problem
        return job, compose_bundle_into(
            background,
            bundles.part_files(job, files),
            view=spec.seen_from,
            camera=spec.camera,
            **limits,
        )
    assert job.photo is not None  # noqa: S101 - the caller has checked it
    photo = read_photo(job.photo)
    job, mask = cutouts.with_masks(job, photo)
    if job.problem is not None:
        raise job.problem
    return job, locked.compose_into(
        background,
        photo=photo,
        mask=mask[0].data if mask else None,
        refine=bool(mask) and mask[0].role == "found_mask",
        backend=backend_of(source_for(spec.object_type)),
        pose=spec.pose,
        photo_kind=spec.photo_kind,
        camera=spec.camera,
        proportion=spec.proportion,
        at=finals.product_place(job),
        **limits,
    )


def _open(job: ClaimedJob, data: bytes) -> OpenedPicture:
    """Examine ``data``, and keep its pixels if the picture is compared with others."""
    limits = picture_limits()
    if job.image_spec.redraws_product or job.anchor is not None:
        return examine_and_open(data, **limits)
    return OpenedPicture(data, examine(data, **limits))


def _examine_result(job: ClaimedJob, result: ImageResult) -> OpenedPicture:
    receipt: dict[str, Any] = {
        "usage": dict(result.usage),
        "model_version": result.model_version,
        "request_id": result.request_id,
    }
    try:
        picture = _open(job, result.data)
    except PictureError as error:
        if isinstance(error, PictureTooLarge):
            where = "" if job.is_free else f" Its bytes are in {spool.set_aside(job.spool_name)}."
            raise AnswerTooLarge(
                f"The provider's picture exceeds this site's own limits: {error}{where}", **receipt
            ) from error
        raise NoPicture(
            f"The provider returned bytes that are not a sound picture: {error}",
            reason=error.code,
            **receipt,
        ) from error
    size = Size(picture.facts.width, picture.facts.height)
    if min(size) < LEAST_SIDE:
        raise NoPicture(
            f"The provider returned a picture of {size.width} × {size.height} pixels.",
            reason="too_small",
            **receipt,
        )
    return picture


def _store(
    job: ClaimedJob,
    result: ImageResult,
    picture: OpenedPicture,
    *,
    kind: str,
    mark: DigitalSourceType,
) -> StoredImage:
    data, facts = picture.data, picture.facts
    original = data is result.data
    spec = job.image_spec
    size = compare_size(spec.ratio, spec.size, Size(facts.width, facts.height))
    if "area" in spec.edit and kind == ImageKind.PICTURE:
        # It has the size of the picture that was edited.
        size = None
    # Google's own table of sizes deviates as well.
    deviates = size is not None and (size.ratio_off > SAME_RATIO or size.share < SAME_SIZE)
    stored = storage.store(
        data,
        folder="originals" if original else "composed",
        mime_type=facts.mime_type,
        on_disk=spool.path(job.spool_name) if original and not job.is_free else None,
    )
    return StoredImage(
        name=stored.name,
        sha256=stored.sha256,
        mime_type=facts.mime_type,
        width=facts.width,
        height=facts.height,
        byte_size=len(data),
        kind=kind,
        digital_source_type=mark,
        checks={
            "decoded": facts.decoded,
            **({SIZE_CHECK: size.as_dict()} if size is not None and deviates else {}),
            **(cutouts.cutout_check(job) if kind == ImageKind.PICTURE else {}),
            **result.report,
            **_model_check(spec.model, result.model_version),
            **(ocr_check(job, data) if kind == ImageKind.PICTURE else {}),
            **(fidelity_check(job, picture) if kind == ImageKind.PICTURE else {}),
        },
        provenance={
            "provider": spec.provider,
            "model": spec.model,
            "model_version": strip_unstorable(result.model_version),
            "request_id": strip_unstorable(result.request_id),
            "treatment": spec.treatment,
            "photo": spec.photo,
            "scene": spec.scene,
            "scene_version": spec.scene_version,
            "call": "" if job.is_free else job.spool_name,
        },
    )


def _model_check(requested: str, actual: str) -> dict[str, Any]:
    """Return a failed check if another model responded than the requested one."""
    if is_version_of(actual, requested):
        return {}
    with _warning:
        is_new = (requested, actual) not in _warned
        _warned.add((requested, actual))
    if is_new:
        logger.warning(
            "The model %s was requested and %s responded: its prices and abilities may differ. "
            "Compare NB_CATALOG['MODEL_SPECS'].",
            requested,
            actual,
        )
    return {"answered_by": strip_unstorable(actual)}


def ocr_check(job: ClaimedJob, picture: bytes) -> dict[str, Any]:
    """Return the check of the text on ``picture``; empty if no text was to be painted."""
    if not job.image_spec.paints_text:
        return {}
    try:
        comparison = ocr_detect.check_texts(
            picture,
            job.image_spec.renderer["texts"],
            locale=job.image_spec.locale,
            photo=partial(read_photo, job.photo) if job.photo else None,
            **picture_limits(),
        )
    except Exception as error:  # noqa: BLE001 - foreign programs; what was paid for is kept, read or not
        logger.exception(
            "The text on the picture of job %s cannot be read back.",
            job.job_id,
            extra=logs.fields(**job.labels),
        )
        comparison = OcrComparison(missing=missing_because("reading_failed", type(error).__name__))
    return {OCR_CHECK: comparison.as_dict()}

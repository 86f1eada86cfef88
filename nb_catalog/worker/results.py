"""From a provider's response to pictures in the storage. Runs in a pool thread; touches no table."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from functools import partial
from typing import Any

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core import logs, tracing
from nb_catalog.core.text import strip_unstorable
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
from nb_catalog.imaging.inspect import Facts, examine
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark, source_type_for
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.base import Provider
from nb_catalog.providers.model_specs import is_version_of
from nb_catalog.providers.types import ImageResult
from nb_catalog.registry import read_photo
from nb_catalog.typesetting import ocr_detect
from nb_catalog.typesetting.ocr_diff import OCR_CHECK, OcrComparison
from nb_catalog.worker import spool
from nb_catalog.worker.outcomes import outcome_for_result
from nb_catalog.worker.types import ClaimedJob, JobOutcome, StoredImage

logger = logging.getLogger(__name__)

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


def store_result(job: ClaimedJob, result: ImageResult, *, provider: Provider) -> JobOutcome:
    """Check and store a picture, read from the spool if it is there, and return the job's outcome.

    A locked product is composed on a background that came without it. If that fails, the background is
    kept all the same, because it is paid for.

    Raises ``NoPicture`` when the bytes are not a sound picture, ``StorageFailed`` when the storage
    did not take them or the spool has lost them.
    """
    with tracing.span("keep", job=job.job_id):
        if not result.data:
            spooled = spool.get(job.spool_name)
            if spooled is None:
                raise StorageFailed("The picture is gone from the staging directory.")
            result = spooled
        facts = _examine_result(job, result)
        if provider.composites or not job.spec.locked:
            # A provider that does not mark its picture is taken to have drawn all of it.
            mark = read_mark(result.data) or DigitalSourceType.MODEL
            picture = _store(job, result, result.data, facts, kind=ImageKind.PICTURE, mark=mark)
            return outcome_for_result(job, (picture,), result)
        return _store_locked(job, result, facts)


def _store_locked(job: ClaimedJob, result: ImageResult, facts: Facts) -> JobOutcome:
    """Compose the product on ``result``, a background, and store both."""
    limits = picture_limits()
    composed: bytes | None = None
    problem: NBCatalogError | None = None
    try:
        if job.photo is None:
            raise job.problem or PictureError("The product's photo is gone.")
        # Composed before anything is stored: when the storage fails, it fails for both.
        composed, product = locked.compose_into(
            result.data, photo=read_photo(job.photo), pose=job.spec.pose, **limits
        )
    except (PictureError, ObjectGone) as error:
        # The photo was good when the call went out.
        problem = error
    background = _store(
        job, result, result.data, facts, kind=ImageKind.BACKDROP, mark=DigitalSourceType.MODEL
    )
    if composed is None:
        return outcome_for_result(job, (background,), result, problem=problem)
    picture = _store(
        job,
        result,
        composed,
        examine(composed, **limits),
        kind=ImageKind.PICTURE,
        mark=source_type_for(model_drew_background=True, model_drew_product=False),
    )
    picture = replace(picture, checks={**picture.checks, "product": list(product)})
    return outcome_for_result(job, (background, picture), result)


def _examine_result(job: ClaimedJob, result: ImageResult) -> Facts:
    try:
        return examine(result.data, **picture_limits())
    except PictureError as error:
        receipt: dict[str, Any] = {
            "usage": dict(result.usage),
            "model_version": result.model_version,
            "request_id": result.request_id,
        }
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


def _store(
    job: ClaimedJob,
    result: ImageResult,
    data: bytes,
    facts: Facts,
    *,
    kind: str,
    mark: DigitalSourceType,
) -> StoredImage:
    original = data is result.data
    spec = job.spec
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
            **result.report,
            **_model_check(spec.model, result.model_version),
            **(ocr_check(job, data) if kind == ImageKind.PICTURE else {}),
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
            "Compare NB_CATALOG['CARDS'].",
            requested,
            actual,
        )
    return {"answered_by": strip_unstorable(actual)}


def ocr_check(job: ClaimedJob, picture: bytes) -> dict[str, Any]:
    """Return the check of the text on ``picture``; empty if no text was to be painted."""
    if not job.spec.paints_text:
        return {}
    try:
        comparison = ocr_detect.check_texts(
            picture,
            job.spec.renderer["texts"],
            locale=job.spec.locale,
            photo=partial(read_photo, job.photo) if job.photo else None,
            **picture_limits(),
        )
    except Exception:  # noqa: BLE001 - foreign programs; what was paid for is kept, read or not
        logger.exception(
            "The text on the picture of job %s cannot be read back.",
            job.job_id,
            extra=logs.fields(**job.labels),
        )
        comparison = OcrComparison()
    return {OCR_CHECK: comparison.as_dict()}

"""From a provider's answer to pictures in the storage. Runs in a pool thread; touches no table."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import Any

from nb_catalog import storage
from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.text import strip_unstorable
from nb_catalog.core.types import Rect
from nb_catalog.exceptions import (
    AnswerTooLarge,
    NoPicture,
    ObjectGone,
    PictureError,
    PictureTooLarge,
    StorageFailed,
)
from nb_catalog.imaging import locked
from nb_catalog.imaging.inspect import Facts, examine
from nb_catalog.imaging.provenance import DigitalSourceType, of_lineage, read_mark
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.base import Provider
from nb_catalog.providers.model_specs import is_version_of
from nb_catalog.providers.types import ImageResult
from nb_catalog.registry import read_photo
from nb_catalog.worker import spool
from nb_catalog.worker.ocr_check import ocr_check
from nb_catalog.worker.types import ClaimedJob, StoredImage, StoredResult

logger = logging.getLogger(__name__)

# (asked, answered) of which the log says that they differ. Pictures are kept in several threads.
_warned: set[tuple[str, str]] = set()
_warning = threading.Lock()


def spool_result(order: ClaimedJob, result: ImageResult, *, again: bool = False) -> ImageResult:
    """Put aside a picture that has just come. What was paid for goes to disk before anything
    else happens, and comes back without its bytes: a crowd of answers must not fill the memory.
    With its bytes it comes back where the disk does not take it, which is logged the first time."""
    if order.is_free:
        return result
    try:
        spool.put(order.staging_name, result)
    except OSError as error:
        if not again:
            logger.error(
                "The staging directory does not take the picture of job %s (%s): it is in memory alone.",
                order.job_id,
                error.strerror,
                extra=logs.fields(**order.labels),
            )
        return result
    return replace(result, data=b"")


def load_spooled(order: ClaimedJob, result: ImageResult) -> ImageResult:
    """``result`` with its bytes. Raises ``StorageFailed`` when the staged file is gone."""
    if result.data:
        return result
    staged = spool.get(order.staging_name)
    if staged is None:
        raise StorageFailed("The staged picture is gone from the staging directory.")
    return staged


def store_result(order: ClaimedJob, result: ImageResult, *, provider: Provider) -> StoredResult:
    """Check and store what came, and compose a locked picture on it where that is still to do.

    Raises ``NoPicture`` when the bytes are no sound picture, ``StorageFailed`` when the storage
    did not take them.
    """
    facts = _examined(order, result)
    if provider.composites or not order.spec.locked:
        mark = _mark(result)
        return StoredResult(
            images=(_stored(order, result, result.data, facts, kind=ImageKind.PICTURE, mark=mark),)
        )
    try:
        # Composed before anything is stored: when the storage fails, it fails for both.
        composed = _composed(order, result)
        problem = None
    except (PictureError, ObjectGone) as error:
        # The photo was good when the call went out. What was paid for is kept all the same.
        composed, problem = None, error
    ground = _stored(
        order, result, result.data, facts, kind=ImageKind.BACKDROP, mark=DigitalSourceType.MODEL
    )
    if composed is None:
        return StoredResult(images=(ground,), problem=problem)
    return StoredResult(images=(ground, _picture(order, result, *composed)))


def _composed(order: ClaimedJob, result: ImageResult) -> tuple[bytes, Rect]:
    return locked.compose_into(
        result.data,
        photo=_photo_bytes(order),
        pose=order.spec.pose,
        max_bytes=settings.MAX_PICTURE_BYTES,
        max_pixels=settings.MAX_PICTURE_PIXELS,
    )


def _picture(order: ClaimedJob, result: ImageResult, composed: bytes, product: Rect) -> StoredImage:
    facts = examine(
        composed, max_bytes=settings.MAX_PICTURE_BYTES, max_pixels=settings.MAX_PICTURE_PIXELS
    )
    both = of_lineage(model_drew_ground=True, model_drew_product=False)
    stored = _stored(order, result, composed, facts, kind=ImageKind.PICTURE, mark=both)
    return replace(stored, checks={**stored.checks, "product": list(product)})


def _photo_bytes(order: ClaimedJob) -> bytes:
    if order.photo is None:
        raise order.problem or PictureError("The product's photo is gone.")
    return read_photo(order.photo)


def _mark(result: ImageResult) -> DigitalSourceType:
    """What the provider says of its own picture; a model that says nothing drew all of it."""
    return read_mark(result.data) or of_lineage(model_drew_ground=True, model_drew_product=True)


def _examined(order: ClaimedJob, result: ImageResult) -> Facts:
    said: dict[str, Any] = {
        "usage": dict(result.usage),
        "model_version": result.model_version,
        "request_id": result.request_id,
    }
    try:
        return examine(
            result.data,
            max_bytes=settings.MAX_PICTURE_BYTES,
            max_pixels=settings.MAX_PICTURE_PIXELS,
        )
    except PictureTooLarge as error:
        where = "" if order.is_free else f" Its bytes are in {spool.set_aside(order.staging_name)}."
        raise AnswerTooLarge(
            f"The provider's picture is beyond this site's own limits: {error}{where}", **said
        ) from error
    except PictureError as error:
        raise NoPicture(
            f"The provider answered with bytes that are no sound picture: {error}",
            reason=error.code,
            **said,
        ) from error


def _stored(
    order: ClaimedJob,
    result: ImageResult,
    data: bytes,
    facts: Facts,
    *,
    kind: str,
    mark: DigitalSourceType,
) -> StoredImage:
    original = data is result.data
    stored = storage.store(
        data,
        folder="originals" if original else "composed",
        mime_type=facts.mime_type,
        on_disk=spool.path(order.staging_name) if original and not order.is_free else None,
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
            **_answered_by(order, result),
            **(ocr_check(order, data) if kind == ImageKind.PICTURE else {}),
        },
        provenance=_provenance(order, result),
    )


def _answered_by(order: ClaimedJob, result: ImageResult) -> dict[str, Any]:
    """A check that did not hold: another model answered than was asked."""
    asked, answered = order.spec.model, result.model_version
    if is_version_of(answered, asked):
        return {}
    _warn_once(asked, answered)
    return {"answered_by": strip_unstorable(answered)}


def _warn_once(asked: str, answered: str) -> None:
    with _warning:
        if (asked, answered) in _warned:
            return
        _warned.add((asked, answered))
    logger.warning(
        "The model %s was asked and %s answered: its prices and abilities may differ. Compare "
        "NB_CATALOG['MODEL_SPECS'].",
        asked,
        answered,
    )


def _provenance(order: ClaimedJob, result: ImageResult) -> dict[str, Any]:
    spec = order.spec
    return {
        "provider": spec.provider,
        "model": spec.model,
        "model_version": strip_unstorable(result.model_version),
        "request_id": strip_unstorable(result.request_id),
        "treatment": spec.treatment,
        "photo": spec.photo,
        "scene": spec.scene,
        "scene_version": spec.scene_version,
        "call": "" if order.is_free else order.staging_name,
    }

"""Words that a model painted, read back as soon as they come."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.registry import read_photo
from nb_catalog.typesetting import ocr_detect
from nb_catalog.typesetting.ocr_diff import OCR_CHECK, OcrComparison
from nb_catalog.worker.types import ClaimedJob

logger = logging.getLogger(__name__)


def ocr_check(order: ClaimedJob, picture: bytes) -> dict[str, Any]:
    """The check of what stands on ``picture``; empty where no words were to be painted."""
    if not order.spec.paints_words:
        return {}
    try:
        reading = ocr_detect.check_texts(
            picture,
            order.spec.renderer["texts"],
            locale=order.spec.locale,
            photo=partial(read_photo, order.photo) if order.photo else None,
            max_bytes=settings.MAX_PICTURE_BYTES,
            max_pixels=settings.MAX_PICTURE_PIXELS,
        )
    except Exception:  # noqa: BLE001 - foreign programs; what was paid for is kept, read or not
        logger.exception(
            "The words on the picture of job %s cannot be read back.",
            order.job_id,
            extra=logs.fields(**order.labels),
        )
        reading = OcrComparison()
    return {OCR_CHECK: reading.as_dict()}

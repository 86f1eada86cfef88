"""Having words that a model painted read by one that looks at the picture: paid for like any call."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import transaction

from nb_catalog import storage
from nb_catalog.billing import paid_requests
from nb_catalog.billing.paid_requests import PaidRequest
from nb_catalog.conf import settings
from nb_catalog.core.text import single_line
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.references import Limits, as_reference
from nb_catalog.models import ProductImage
from nb_catalog.models.transitions import lock_image
from nb_catalog.providers.ocr import OcrResult, ocr_provider
from nb_catalog.registry import read_photo, source_for
from nb_catalog.typesetting import ocr_detect
from nb_catalog.typesetting.ocr_diff import (
    MODEL_OCR_CHECK,
    OCR_CHECK,
    OcrComparison,
    Token,
    compare,
)

logger = logging.getLogger(__name__)

LIMITS: Final = Limits(reads=("image/jpeg", "image/png", "image/webp"), longest_side=2048)


class Offer(NamedTuple):
    """Who would read a picture, and what it costs at most, in USD."""

    name: str
    usd: Decimal


def offer() -> Offer | None:
    """What ``read_with_model`` would ask for; None where there is no reader.

    Raises ``RequestRefused`` where the reader does not know what it costs.
    """
    asked = ocr_provider()
    return None if asked is None else Offer(asked.name, asked.estimate())


def read_with_model(image: ProductImage, *, actor: Actor) -> OcrComparison:
    """Ask the reader what is written on ``image``, and keep how it compares with what was asked for, beside
    what was read here: a model may read what should be there.

    The request is on record and its money reserved before it goes out. Raises ``RequestRefused`` for a
    picture that no model wrote on, without a reader, while the same is underway and where a budget is
    reached, ``PictureError`` and ``StorageFailed`` for the file, and ``ProviderError`` for what the
    service answered.
    """
    if OCR_CHECK not in image.checks:
        raise RequestRefused(f"On picture {image.pk} there are no words that a model painted.")
    asked = ocr_provider()
    if asked is None:
        raise RequestRefused("No OCR provider is configured. Set NB_CATALOG['OCR_PROVIDER'].")
    picture, _sent = as_reference(
        storage.read(str(image.file.name)),
        limits=LIMITS,
        max_bytes=settings.MAX_PICTURE_BYTES,
        max_pixels=settings.MAX_PICTURE_PIXELS,
    )
    question = PaidRequest(
        payload=asked.build(picture.data, picture.mime_type, locale=image.locale),
        about=image,
        locales=(image.locale,),
        estimate=asked.estimate(),
        underway=paid_requests.already_running_message(image),
    )
    reading = _compare(
        image, paid_requests.send_paid_request(asked, question, actor=actor), by=asked.name
    )
    _store(image, reading)
    return reading


def _compare(image: ProductImage, transcript: OcrResult, *, by: str) -> OcrComparison:
    spec: dict[str, Any] = image.spec
    pieces = [
        Token(word, line=number)
        for number, line in enumerate(transcript.lines)
        for word in single_line(line).split()
    ]
    texts = spec["renderer"]["texts"]
    known = _text_on_product(image) if transcript.printed else []
    number = len(transcript.lines)
    # What a model calls printed on the product is forgiven where the product's photo shows it.
    pieces += [
        Token(word, line=number + at)
        for at, line in enumerate(transcript.printed)
        for word in single_line(line).split()
    ]
    return compare(texts, {by: pieces}, locale=image.locale, known=known)


def _text_on_product(image: ProductImage) -> list[str]:
    """Every word that is read here on the product's photo; none where that is gone, or nothing reads."""
    product = image.catalog_object
    if product is None:
        return []
    spec: dict[str, Any] = image.spec
    photos = source_for(product).photos(product)
    photo = next((each for each in photos if each.name == spec["photo"]), None)
    if photo is None:
        return []
    try:
        return ocr_detect.read_words(
            read_photo(photo),
            locale=image.locale,
            max_bytes=settings.MAX_PICTURE_BYTES,
            max_pixels=settings.MAX_PICTURE_PIXELS,
        )
    except Exception:  # noqa: BLE001 - foreign programs; the answer is paid for, and nothing is forgiven
        logger.exception("What is printed on the product of picture %s cannot be read.", image.pk)
        return []


@transaction.atomic
def _store(image: ProductImage, reading: OcrComparison) -> None:
    lock_image(image)
    image.refresh_from_db(fields=["checks"])
    image.checks = {**image.checks, MODEL_OCR_CHECK: reading.as_dict()}
    image.save(update_fields=["checks"])

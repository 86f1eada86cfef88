"""Has painted text read by a model, in addition to the OCR that runs here. Paid for like any call."""

from __future__ import annotations

import logging
from decimal import Decimal
from itertools import chain
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
from nb_catalog.providers.ocr import ocr_provider
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


class OcrOffer(NamedTuple):
    """The provider that would read a picture, and what that costs at most, in USD."""

    name: str
    usd: Decimal


def offer() -> OcrOffer | None:
    """Return what ``read_with_model`` would request; None without an OCR provider.

    Raises ``RequestRefused`` if the provider's price is unknown.
    """
    provider = ocr_provider()
    return None if provider is None else OcrOffer(provider.name, provider.estimate())


def read_with_model(image: ProductImage, *, actor: Actor) -> OcrComparison:
    """Have a model read ``image``, and store how its text compares with the requested one.

    The result is stored beside that of the OCR here, not in its place: a model may read what should
    be there. The request is recorded and its cost reserved before it is sent.

    Raises ``RequestRefused`` for a picture without painted text, without an OCR provider, while the
    same request is in flight and when a budget is reached, ``PictureError`` and ``StorageFailed``
    for the file, and the ``ProviderError`` of a failed request.
    """
    if OCR_CHECK not in image.checks:
        raise RequestRefused(f"Picture {image.pk} has no text that a model painted.")
    provider = ocr_provider()
    if provider is None:
        raise RequestRefused("No OCR provider is configured. Set NB_CATALOG['OCR_PROVIDER'].")
    picture, _sent = as_reference(
        storage.read(str(image.file.name)),
        limits=LIMITS,
        max_bytes=settings.MAX_PICTURE_BYTES,
        max_pixels=settings.MAX_PICTURE_PIXELS,
    )
    request = PaidRequest(
        payload=provider.build(picture.data, picture.mime_type, locale=image.locale),
        about=image,
        locales=(image.locale,),
        estimate=provider.estimate(),
        underway=paid_requests.already_running_message(image),
    )
    result = paid_requests.send_paid_request(provider, request, actor=actor)
    # What the model takes for print on the product is accepted only if the product's photo shows it.
    tokens = [
        Token(word, line=number)
        for number, line in enumerate(chain(result.lines, result.printed))
        for word in single_line(line).split()
    ]
    comparison = compare(
        image.spec["renderer"]["texts"],
        {provider.name: tokens},
        locale=image.locale,
        known=_text_on_product(image) if result.printed else [],
    )
    with transaction.atomic():
        lock_image(image)
        image.refresh_from_db(fields=["checks"])
        image.checks = {**image.checks, MODEL_OCR_CHECK: comparison.as_dict()}
        image.save(update_fields=["checks"])
    return comparison


def _text_on_product(image: ProductImage) -> list[str]:
    """Return the words that OCR finds on the product's photo; none if there is no photo or no OCR here."""
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
    except Exception:  # noqa: BLE001 - foreign programs; the result is paid for already
        logger.exception("The text on the product of picture %s cannot be read.", image.pk)
        return []

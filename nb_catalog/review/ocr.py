"""Having words that a model painted read by one that looks at the picture: paid for like any call."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import transaction

from nb_catalog import storage
from nb_catalog.billing import paid_requests
from nb_catalog.billing.paid_requests import Question
from nb_catalog.conf import settings
from nb_catalog.core.text import single_line
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.references import Limits, as_reference
from nb_catalog.models import ProductImage
from nb_catalog.models.transitions import hold_image
from nb_catalog.providers.ocr import Transcript, reader
from nb_catalog.registry import read_photo, source_for
from nb_catalog.typesetting import ocr_detect
from nb_catalog.typesetting.ocr_diff import READ, READ_BY_MODEL, Piece, Reading, compared

logger = logging.getLogger(__name__)

LIMITS: Final = Limits(reads=("image/jpeg", "image/png", "image/webp"), longest_side=2048)


class Offer(NamedTuple):
    """Who would read a picture, and what it costs at most, in USD."""

    name: str
    usd: Decimal


def offer() -> Offer | None:
    """What ``read`` would ask for; None where there is no reader.

    Raises ``RequestRefused`` where the reader does not know what it costs.
    """
    asked = reader()
    return None if asked is None else Offer(asked.name, asked.estimate())


def read(image: ProductImage, *, actor: Actor) -> Reading:
    """Ask the reader what is written on ``image``, and keep how it compares with what was asked for, beside
    what was read here: a model may read what should be there.

    The request is on record and its money reserved before it goes out. Raises ``RequestRefused`` for a
    picture that no model wrote on, without a reader, while the same is underway and where a budget is
    reached, ``PictureError`` and ``StorageFailed`` for the file, and ``ProviderError`` for what the
    service answered.
    """
    if READ not in image.checks:
        raise RequestRefused(f"On picture {image.pk} there are no words that a model painted.")
    asked = reader()
    if asked is None:
        raise RequestRefused("There is no reader: NB_CATALOG['READER'] names one.")
    picture, _sent = as_reference(
        storage.read(str(image.file.name)),
        limits=LIMITS,
        max_bytes=settings.MAX_PICTURE_BYTES,
        max_pixels=settings.MAX_PICTURE_PIXELS,
    )
    question = Question(
        payload=asked.build(picture.data, picture.mime_type, locale=image.locale),
        about=image,
        locales=(image.locale,),
        estimate=asked.estimate(),
        underway=paid_requests.looked_at(image),
    )
    reading = _reading(image, paid_requests.ask(asked, question, actor=actor), by=asked.name)
    _keep(image, reading)
    return reading


def _reading(image: ProductImage, transcript: Transcript, *, by: str) -> Reading:
    recipe: dict[str, Any] = image.recipe
    pieces = [
        Piece(word, line=number)
        for number, line in enumerate(transcript.lines)
        for word in single_line(line).split()
    ]
    words = recipe["renderer"]["words"]
    known = _printed(image) if transcript.printed else []
    number = len(transcript.lines)
    # What a model calls printed on the product is forgiven where the product's photo shows it.
    pieces += [
        Piece(word, line=number + at)
        for at, line in enumerate(transcript.printed)
        for word in single_line(line).split()
    ]
    return compared(words, {by: pieces}, locale=image.locale, known=known)


def _printed(image: ProductImage) -> list[str]:
    """Every word that is read here on the product's photo; none where that is gone, or nothing reads."""
    product = image.catalog_object
    if product is None:
        return []
    recipe: dict[str, Any] = image.recipe
    photos = source_for(product).photos(product)
    photo = next((each for each in photos if each.name == recipe["photo"]), None)
    if photo is None:
        return []
    try:
        return ocr_detect.printed_on(
            read_photo(photo),
            locale=image.locale,
            max_bytes=settings.MAX_PICTURE_BYTES,
            max_pixels=settings.MAX_PICTURE_PIXELS,
        )
    except Exception:  # noqa: BLE001 - foreign programs; the answer is paid for, and nothing is forgiven
        logger.exception("What is printed on the product of picture %s cannot be read.", image.pk)
        return []


@transaction.atomic
def _keep(image: ProductImage, reading: Reading) -> None:
    hold_image(image)
    image.refresh_from_db(fields=["checks"])
    image.checks = {**image.checks, READ_BY_MODEL: reading.as_dict()}
    image.save(update_fields=["checks"])

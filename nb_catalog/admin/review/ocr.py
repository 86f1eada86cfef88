"""What was read on a picture that a model wrote on, as the review page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nb_catalog.admin.formatting import dollars
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.models import ProductImage
from nb_catalog.review import needs_individual_review, ocr
from nb_catalog.typesetting.ocr_diff import (
    OCR_CHECK,
    Change,
    OcrComparison,
    changes,
    matches_text,
    readings_in,
)


class TextDifference(NamedTuple):
    """A text that was read otherwise. ``said`` is empty where nothing like it was found."""

    role: str
    asked: str
    said: str
    changes: Sequence[Change]


class ReadingResult(NamedTuple):
    """What one reader read; ``percent`` of the letters are right, never 100 where one is wrong."""

    reading: OcrComparison
    percent: int
    misread: tuple[TextDifference, ...]


class OcrSummary(NamedTuple):
    by: tuple[ReadingResult, ...]
    needs_individual_review: bool


def ocr_offer(images: Sequence[ProductImage]) -> dict[str, str] | None:
    """Who would read words that a model painted on any of ``images``, and for how much; None where nobody
    would, or the setting is wrong, which ``check`` says."""
    if not any(OCR_CHECK in image.checks for image in images):
        return None
    try:
        found = ocr.offer()
    except (InvalidSettings, RequestRefused):
        return None
    return None if found is None else {"name": found.name, "price": dollars(found.usd)}


def ocr_summary(image: ProductImage) -> OcrSummary | None:
    """None for a picture that no model wrote on."""
    if OCR_CHECK not in image.checks:
        return None
    read = tuple(_read_by(each, image) for each in readings_in(image.checks))
    return OcrSummary(read, needs_individual_review(image))


def _read_by(reading: OcrComparison, image: ProductImage) -> ReadingResult:
    misread = [
        TextDifference(role, text, said, changes(text, said) if said else ())
        for role, text in image.spec["renderer"]["texts"].items()
        if not matches_text(text, said := reading.said.get(role, ""), locale=image.locale)
    ]
    return ReadingResult(reading, int(reading.share * 100), tuple(misread))

"""What was read on a picture that a model wrote on, as the review page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nb_catalog.admin.formatting import dollars
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.models import ProductImage
from nb_catalog.review import needs_a_look, ocr
from nb_catalog.typesetting.ocr_diff import READ, Change, Reading, changes, is_read_as, readings_in


class Misread(NamedTuple):
    """A text that was read otherwise. ``said`` is empty where nothing like it was found."""

    role: str
    asked: str
    said: str
    changes: Sequence[Change]


class ReadBy(NamedTuple):
    """What one reader read; ``percent`` of the letters are right, never 100 where one is wrong."""

    reading: Reading
    percent: int
    misread: tuple[Misread, ...]


class WordsRead(NamedTuple):
    by: tuple[ReadBy, ...]
    needs_a_look: bool


def offer(images: Sequence[ProductImage]) -> dict[str, str] | None:
    """Who would read words that a model painted on any of ``images``, and for how much; None where nobody
    would, or the setting is wrong, which ``check`` says."""
    if not any(READ in image.checks for image in images):
        return None
    try:
        found = ocr.offer()
    except (InvalidSettings, RequestRefused):
        return None
    return None if found is None else {"name": found.name, "price": dollars(found.usd)}


def words_read(image: ProductImage) -> WordsRead | None:
    """None for a picture that no model wrote on."""
    if READ not in image.checks:
        return None
    read = tuple(_read_by(each, image) for each in readings_in(image.checks))
    return WordsRead(read, needs_a_look(image))


def _read_by(reading: Reading, image: ProductImage) -> ReadBy:
    misread = [
        Misread(role, text, said, changes(text, said) if said else ())
        for role, text in image.recipe["renderer"]["words"].items()
        if not is_read_as(text, said := reading.said.get(role, ""), locale=image.locale)
    ]
    return ReadBy(reading, int(reading.share * 100), tuple(misread))

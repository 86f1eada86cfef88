"""Files of a deck: the formats by their content, and what is written for translators."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from nb_catalog.copydecks import csv_format, translator_notes, xliff_format, xlsx_format
from nb_catalog.copydecks.types import DeckTexts
from nb_catalog.copydecks.vocabulary import deck_locales
from nb_catalog.copydecks.xliff_format import XliffFile
from nb_catalog.exceptions import DeckRefused
from nb_catalog.models import CopyDeck

# Bytes of a file; enough for about ten thousand texts.
MAX_BYTES: Final = 5 * 2**20
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"


def read_file(deck: CopyDeck, data: bytes) -> DeckTexts:
    """Return the texts of a CSV, XLSX or XLIFF file for ``deck``.

    Raises ``DeckRefused`` with every objection at once.
    """
    if len(data) > MAX_BYTES:
        message = _("The file is larger than 5 MB. Check that you chose the right file.")
        raise DeckRefused(message)
    locales = deck_locales(deck)
    if xlsx_format.looks_like_xlsx(data):
        return xlsx_format.from_xlsx(data, locales=locales)
    if data.startswith(_OLD_EXCEL):
        raise DeckRefused(_("Files of old Excel are not read. Save it as XLSX or “CSV UTF-8”."))
    if data.lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t\x00").startswith(b"<"):
        source = deck.texts_by_locale.get(deck.locale, {})
        return xliff_format.from_xliff(
            data, source_locale=deck.locale, source=source, locales=locales
        )
    return csv_format.from_csv(data, locales=locales)


def csv_of(deck: CopyDeck) -> bytes:
    """Return the deck's texts as CSV."""
    return csv_format.as_csv(deck.texts_by_locale, locales=deck_locales(deck)).encode()


def xlsx_of(deck: CopyDeck) -> bytes:
    """Return the deck's texts as a workbook. Raises ``DeckRefused`` without the extra ``xlsx``."""
    return xlsx_format.as_xlsx(deck.texts_by_locale, locales=deck_locales(deck))


def xliff_of(deck: CopyDeck, locale: str, *, root_url: str = "") -> bytes:
    """Return the deck's texts and their translations into ``locale``, with notes for translators.

    ``root_url`` completes addresses of pictures that are paths.
    """
    source = deck.texts_by_locale.get(deck.locale, {})
    target: dict[str, str] = {}
    proposed: set[str] = set()
    for row in deck.texts.filter(locale=locale).order_by("proposed_by"):
        # Translators see a text rather than the proposal to replace it.
        if row.role not in target:
            target[row.role] = row.text
            proposed |= {row.role} if row.proposed_by else set()
    notes = translator_notes.notes_for(source, locale=deck.locale, target_locale=locale)
    file = XliffFile(
        deck=deck.key,
        source_locale=deck.locale,
        target_locale=locale,
        source=source,
        target=target,
        proposed=frozenset(proposed),
        notes=notes.texts,
        limits=notes.limits,
        picture=translator_notes.picture_of(deck, root_url=root_url),
    )
    return xliff_format.as_xliff([file])

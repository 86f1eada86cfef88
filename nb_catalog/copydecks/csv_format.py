"""CSV (RFC 4180) of a deck's texts, for any spreadsheet."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Final

from django.utils.translation import gettext as _

from nb_catalog.copydecks.tables import Row, as_rows, protect, texts_of_rows, unprotect
from nb_catalog.copydecks.types import DeckTexts
from nb_catalog.exceptions import DeckRefused

MIME_TYPE: Final = "text/csv; charset=utf-8"
_DELIMITERS: Final = ",;\t"
# Excel's own first line, which names the delimiter.
_SEPARATOR_LINE: Final = re.compile(
    r'"?sep=(?P<separator>[^\r\n"]?)"?(?:\r\n|\r|\n|$)', re.IGNORECASE
)
_FIRST_LINE: Final = re.compile(r"[^\r\n]*")


def as_csv(texts: Mapping[str, Mapping[str, str]], *, locales: Sequence[str]) -> str:
    """Return locale -> role -> text as a table with the columns ``locales``.

    It begins with a byte order mark: without one, Excel does not read the file as UTF-8.
    """
    file = StringIO("\ufeff", newline="")
    file.seek(0, 2)
    csv.writer(file).writerows(
        [[protect(cell) for cell in row] for row in as_rows(texts, locales=locales)]
    )
    return file.getvalue()


def from_csv(data: bytes, *, locales: Sequence[str]) -> DeckTexts:
    """Return the texts of a table in UTF-8 or UTF-16.

    Cells are separated by commas, semicolons or tabs; a first line ``sep=;`` is understood. Raises
    ``DeckRefused`` with every objection at once.
    """
    text = _decoded(data)
    separator = _SEPARATOR_LINE.match(text)
    body = text[separator.end() :] if separator else text
    first = _FIRST_LINE.match(body.lstrip("\r\n"))
    line = first[0] if first else ""
    delimiter = (separator["separator"] if separator else "") or max(_DELIMITERS, key=line.count)
    try:
        reader = csv.reader(StringIO(body, newline=""), delimiter=delimiter, strict=True)
        cells = [[unprotect(cell) for cell in row] for row in reader]
    except csv.Error as error:
        message = _("This is not a CSV table: %(error)s.") % {"error": error}
        raise DeckRefused(message) from error
    skipped = 2 if separator else 1
    rows = [Row(number, row) for number, row in enumerate(cells, start=skipped)]
    while rows and not any(rows[0].cells):
        del rows[0]
    return texts_of_rows(rows, locales=locales)


def _decoded(data: bytes) -> str:
    # Without a byte order mark, tables in UTF-16 are known by the zero bytes in "role".
    start = data[:8].lower()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif start.startswith("role".encode("utf-16-le")):
        encoding = "utf-16-le"
    elif start.startswith("role".encode("utf-16-be")):
        encoding = "utf-16-be"
    else:
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        message = _("The file is not %(encoding)s (byte %(place)s). Save it as “CSV UTF-8”.")
        raise DeckRefused(message % {"encoding": name, "place": error.start}) from error
    text = text.removeprefix("\ufeff")
    if (place := text.find("\0")) >= 0:
        line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
        message = _(
            "Line %(line)s, character %(column)s: U+0000 cannot be stored. Save the table as “CSV "
            "UTF-8”."
        )
        raise DeckRefused(message % {"line": line, "column": column})
    return text

"""CSV (RFC 4180) of a deck's texts: a row per role, a column per locale. For any spreadsheet."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Final

from nb_catalog.copydecks.types import DeckTexts
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import DeckRefused

ROLE: Final = "role"
MAX_ROWS: Final = 1000
_DELIMITERS: Final = ",;\t"
# What a spreadsheet would take for a formula gets an apostrophe, as spreadsheets do themselves.
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
_QUOTED: Final = re.compile(r"'[=+\-@\t\r]")


def as_csv(texts: Mapping[str, Mapping[str, str]], *, locales: Sequence[str]) -> str:
    """Return locale -> role -> text as a table with the columns ``locales``.

    It begins with a byte order mark: without one, Excel does not read the file as UTF-8.
    """
    roles = dict.fromkeys(role for locale in locales for role in texts.get(locale, {}))
    file = StringIO("\ufeff")
    file.seek(0, 2)
    writer = csv.writer(file)
    writer.writerow([ROLE, *locales])
    for role in roles:
        cells = [texts.get(locale, {}).get(role, "") for locale in locales]
        writer.writerow([role, *(f"'{cell}" if _FORMULA.match(cell) else cell for cell in cells)])
    return file.getvalue()


def from_csv(data: bytes, *, locales: Sequence[str]) -> DeckTexts:
    """Return the texts of a table in UTF-8, or in UTF-16 with its byte order mark.

    Cells are separated by commas, semicolons or tabs. A locale without a column is left alone; an
    empty cell is an empty text. Raises ``DeckRefused`` with every objection at once.
    """
    header, *rows = _read(data) or [[]]
    columns = [name.strip() for name in header]
    filled = [(number, row) for number, row in enumerate(rows, start=2) if any(row)]
    objections = tuple(_objections(columns, filled, locales=locales))
    if objections:
        raise DeckRefused(*objections)
    return DeckTexts(
        texts={
            (locale, row[0].strip()): text[1:] if _QUOTED.match(text) else text
            for _number, row in filled
            for locale, text in zip(columns[1:], [*row[1:], *[""] * len(columns)], strict=False)
        }
    )


def _read(data: bytes) -> list[list[str]]:
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeckRefused(
            f"The file is not UTF-8 (byte {error.start}). Save it as “CSV UTF-8”."
        ) from error
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DeckRefused(f"This is not a CSV table: {error}.") from error


def _objections(
    columns: Sequence[str], rows: Sequence[tuple[int, list[str]]], *, locales: Sequence[str]
) -> Iterator[str]:
    if not columns or columns[0].lower() != ROLE:
        first = columns[0] if columns else ""
        yield f"The first column must be called {ROLE!r}, not {first!r}."
        return
    if len(columns) == 1:
        yield "There is no column with a language."
        return
    for column in columns[1:]:
        if column not in locales:
            yield f"There is no language {column!r}.{nearest(column, locales)}"
    for column in sorted({each for each in columns if columns.count(each) > 1}):
        yield f"The column {column!r} appears more than once."
    if len(rows) > MAX_ROWS:
        yield f"{len(rows)} rows are too many: at most {MAX_ROWS} are possible."
        return
    row_of: dict[str, int] = {}
    for number, row in rows:
        role = row[0].strip()
        if not role:
            yield f"Row {number} has no role."
        elif role in row_of:
            yield f"The role {role!r} is in row {row_of[role]} and in row {number}."
        if any(row[len(columns) :]):
            yield f"Row {number} has more cells than there are columns. Is a text not quoted?"
        row_of.setdefault(role, number)

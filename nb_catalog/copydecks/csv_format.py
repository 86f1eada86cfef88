"""CSV (RFC 4180): a row a role, a column a language. Opens in any spreadsheet, and comes back."""

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
MOST_ROWS: Final = 1000
_DELIMITERS: Final = ",;\t"
# What a spreadsheet would take for a formula is quoted the way that spreadsheets do themselves.
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
_QUOTED: Final = re.compile(r"'[=+\-@\t\r]")


def as_csv(texts: Mapping[str, Mapping[str, str]], *, locales: Sequence[str]) -> str:
    """Locale -> role -> text as a table with the columns ``locales``. Begins with a byte order mark:
    without one, Excel reads UTF-8 as something else."""
    roles = dict.fromkeys(role for locale in locales for role in texts.get(locale, {}))
    written = StringIO("\ufeff")
    written.seek(0, 2)
    rows = csv.writer(written)
    rows.writerow([ROLE, *locales])
    for role in roles:
        cells = (texts.get(locale, {}).get(role, "") for locale in locales)
        rows.writerow([role, *map(_quoted, cells)])
    return written.getvalue()


def _quoted(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def from_csv(data: bytes, *, locales: Sequence[str]) -> DeckTexts:
    """The texts of a table: UTF-8, or UTF-16 with its mark; commas, semicolons or tabs. A column that
    is not there is left alone, and an empty cell is an empty text.

    Raises ``DeckRefused`` with every objection at once.
    """
    head, *rows = list(_rows(_decoded(data))) or [[]]
    columns = [each.strip() for each in head]
    objections = list(_about_head(columns, locales=locales))
    if objections:
        raise DeckRefused(*objections)
    filled = [(number, row) for number, row in enumerate(rows, start=2) if any(row)]
    objections = list(_about_rows(filled, columns=columns))
    if objections:
        raise DeckRefused(*objections)
    return DeckTexts(
        texts={
            (locale, row[0].strip()): _unquoted(text)
            for _number, row in filled
            for locale, text in zip(columns[1:], [*row[1:], *[""] * len(columns)], strict=False)
        }
    )


def _decoded(data: bytes) -> str:
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeckRefused(
            f"The file is not UTF-8 (byte {error.start}). Save it as “CSV UTF-8”."
        ) from error


def _rows(text: str) -> Iterator[list[str]]:
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        yield from csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise DeckRefused(f"This is no CSV table: {error}.") from error


def _about_head(columns: Sequence[str], *, locales: Sequence[str]) -> Iterator[str]:
    if not columns or columns[0].lower() != ROLE:
        found = columns[0] if columns else ""
        yield f"The first column has to be called {ROLE!r}, not {found!r}."
        return
    if len(columns) == 1:
        yield "There is no column with a language."
    for column in columns[1:]:
        if column not in locales:
            yield f"There is no language {column!r}.{nearest(column, locales)}"
    for column in sorted({each for each in columns if columns.count(each) > 1}):
        yield f"The column {column!r} is there twice."


def _about_rows(rows: Sequence[tuple[int, list[str]]], *, columns: Sequence[str]) -> Iterator[str]:
    if len(rows) > MOST_ROWS:
        yield f"{len(rows)} rows are too many: at most {MOST_ROWS} are possible."
        return
    seen: dict[str, int] = {}
    for number, row in rows:
        role = row[0].strip()
        if not role:
            yield f"Row {number} has no role."
        elif role in seen:
            yield f"The role {role!r} is in row {seen[role]} and in row {number}."
        if any(row[len(columns) :]):
            yield f"Row {number} has more cells than there are columns. Is a text not quoted?"
        seen.setdefault(role, number)


def _unquoted(text: str) -> str:
    return text[1:] if _QUOTED.match(text) else text

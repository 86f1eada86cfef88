"""A deck's texts as a table, whatever the file's format: a row per role, a column per locale."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from nb_catalog.copydecks.types import DeckTexts
from nb_catalog.core.locales import are_same, find_locale
from nb_catalog.core.text import nearest, shorten
from nb_catalog.exceptions import DeckRefused

ROLE: Final = "role"
MAX_ROWS: Final = 1000
MAX_COLUMNS: Final = 400
# Of one kind; more say nothing new.
_MOST_OBJECTIONS: Final = 20
# What spreadsheets take for a formula gets an apostrophe, as they do themselves; full-width signs too,
# which Japanese Excel accepts. A text that already begins with apostrophes gets one more: it comes back.
_PROTECTED: Final = re.compile(r"'*[=+\-@\t\r＝＋－＠]")  # noqa: RUF001


class Row(NamedTuple):
    """A row of the file with its number there, from 1."""

    number: int
    cells: Sequence[str]


def as_rows(
    texts: Mapping[str, Mapping[str, str]], *, locales: Sequence[str]
) -> Iterator[list[str]]:
    """Yield the header, then a row for each role, of locale -> role -> text."""
    yield [ROLE, *locales]
    for role in dict.fromkeys(role for locale in locales for role in texts.get(locale, {})):
        yield [role, *(texts.get(locale, {}).get(role, "") for locale in locales)]


def protect(text: str) -> str:
    """Return ``text`` as a cell that no spreadsheet evaluates."""
    return f"'{text}" if _PROTECTED.match(text) else text


def unprotect(cell: str) -> str:
    """Return the text that ``protect`` made ``cell`` of."""
    return cell[1:] if cell.startswith("'") and _PROTECTED.match(cell) else cell


def texts_of_rows(rows: Sequence[Row], *, locales: Sequence[str]) -> DeckTexts:
    """Return the texts of a table whose first row is the header.

    A locale without a column is left alone; an empty cell is an empty text. Raises ``DeckRefused``
    with every objection at once.
    """
    filled = [Row(row.number, row.cells) for row in rows[1:] if any(map(str.strip, row.cells))]
    header = list(rows[0].cells) if rows else []
    width = max([_width(header), *(_width(row.cells) for row in filled)])
    if width > MAX_COLUMNS:
        message = _(
            "%(count)s columns are too many: at most %(most)s are possible. Check the separator."
        )
        raise DeckRefused(message % {"count": width, "most": MAX_COLUMNS})
    if len(filled) > MAX_ROWS:
        message = _("%(count)s rows are too many: at most %(most)s are possible.")
        raise DeckRefused(message % {"count": len(filled), "most": MAX_ROWS})
    names = [name.strip() for name in header[: _width(header)]]
    codes = [names[0] if names else "", *(find_locale(each, locales) for each in names[1:])]
    objections = [
        *_header_objections(names, codes, locales=locales),
        *_row_objections(filled, width=len(names)),
    ]
    if objections:
        raise DeckRefused(*objections)
    return DeckTexts(
        texts={
            (code, row.cells[0].strip()): text
            for row in filled
            for code, text in zip(codes[1:], [*row.cells[1:], *[""] * len(codes)], strict=False)
        },
        warnings=tuple(
            _("The language %(name)r is taken for %(code)r.") % {"name": name, "code": code}
            for name, code in zip(names[1:], codes[1:], strict=True)
            if not are_same(name, code)
        ),
    )


def _width(cells: Sequence[str]) -> int:
    """Return the number of cells up to the last that is not empty: spreadsheets append empty ones."""
    return max((number for number, cell in enumerate(cells, start=1) if cell.strip()), default=0)


def _header_objections(
    names: Sequence[str], codes: Sequence[str], *, locales: Sequence[str]
) -> Iterator[str]:
    if not names or names[0].lower() != ROLE:
        message = _("The first column must be called %(wanted)r, not %(name)r.")
        yield message % {"wanted": ROLE, "name": shorten(names[0] if names else "")}
        return
    if len(names) == 1:
        yield _("There is no column with a language.")
        return
    unknown = [name for name, code in zip(names[1:], codes[1:], strict=True) if not code]
    for name in unknown[:_MOST_OBJECTIONS]:
        if name:
            message = _("There is no language %(name)r.") % {"name": shorten(name)}
            yield message + nearest(name, locales)
        else:
            yield _("A column between others has no language in the first row.")
    if len(unknown) > _MOST_OBJECTIONS:
        yield _("%(count)s columns have no known language.") % {"count": len(unknown)}
    for code, number in Counter(filter(None, codes[1:])).items():
        if number > 1:
            yield _("The column %(name)r appears more than once.") % {"name": code}


def _row_objections(rows: Sequence[Row], *, width: int) -> Iterator[str]:
    row_of: dict[str, int] = {}
    for number, cells in rows:
        role = cells[0].strip()
        if not role:
            yield _("Row %(number)s has no role.") % {"number": number}
        elif role in row_of:
            message = _("The role %(role)r is in row %(first)s and in row %(second)s.")
            yield message % {"role": role, "first": row_of[role], "second": number}
        if _width(cells) > max(width, 1):
            message = _(
                "Row %(number)s has more cells than there are columns. Is a text not quoted?"
            )
            yield message % {"number": number}
        row_of.setdefault(role, number)

"""XLSX (Office Open XML) of a deck's texts, by openpyxl: the extra ``xlsx``.

openpyxl is the library of this format that is both read and written by the same hands, and it parses
by defusedxml where that is installed, as it is here.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from io import BytesIO
from typing import Any, Final

from django.utils.translation import gettext as _

from nb_catalog.copydecks.tables import MAX_COLUMNS, MAX_ROWS, Row, as_rows, texts_of_rows
from nb_catalog.copydecks.types import DeckTexts
from nb_catalog.core.text import strip_unstorable
from nb_catalog.exceptions import DeckRefused

MIME_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Bytes of all parts together, and the number of parts, before they are unpacked.
MAX_UNPACKED: Final = 30 * 2**20
MAX_PARTS: Final = 500
# Characters of a cell that Office writes as _xHHHH_ (ECMA-376, 22.9.2.19): so do texts that look like it.
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LIKE_ESCAPE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
# How wide a column of texts is, in characters.
_WIDTH: Final = 40


def is_available() -> bool:
    """Return whether the extra ``xlsx`` is installed."""
    return find_spec("openpyxl") is not None


def _require() -> None:
    if not is_available():
        message = _(
            "Excel files need openpyxl. Install it: %(command)s. Or save the table as “CSV UTF-8”."
        )
        raise DeckRefused(message % {"command": "pip install 'nb-catalog[xlsx]'"})


def as_xlsx(texts: Mapping[str, Mapping[str, str]], *, locales: Sequence[str]) -> bytes:
    """Return locale -> role -> text as a workbook with one sheet. Every cell is text, never a formula.

    Raises ``DeckRefused`` without the extra.
    """
    _require()
    from openpyxl import Workbook  # noqa: PLC0415 - an extra
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415 - an extra
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - an extra

    book = Workbook()
    sheet = book.active
    sheet.title = "texts"
    for number, row in enumerate(as_rows(texts, locales=locales), start=1):
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            cell.value = _LIKE_ESCAPE.sub("_x005F_", strip_unstorable(text))
            # openpyxl takes "=…" for a formula, and Excel does once the cell is edited.
            cell.data_type, cell.number_format, cell.quotePrefix = "s", "@", True
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if number == 1 or column == 1:
                cell.font = Font(bold=True)
    for column in range(1, len(locales) + 2):
        sheet.column_dimensions[get_column_letter(column)].width = _WIDTH if column > 1 else 16
    sheet.freeze_panes = "B2"
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def from_xlsx(data: bytes, *, locales: Sequence[str]) -> DeckTexts:
    """Return the texts of the sheet that was open when the workbook was saved; formulas as their values.

    Raises ``DeckRefused`` with every objection at once, and without the extra.
    """
    _require()
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - an extra

    _check_size(data)
    values, formulas = _cells(data, values=True), _cells(data, values=False)
    objections: list[str] = []
    rows = []
    for number, (shown, written) in enumerate(zip(values, formulas, strict=True), start=1):
        cells = []
        for column, (value, source) in enumerate(zip(shown, written, strict=True), start=1):
            place = f"{get_column_letter(column)}{number}"
            try:
                cells.append(_text_of(value, source, place=place))
            except ValueError as error:
                objections.append(str(error))
        rows.append(Row(number, cells))
    if objections:
        raise DeckRefused(*objections)
    while rows and not any(rows[0].cells):
        del rows[0]
    return texts_of_rows(rows, locales=locales)


def _check_size(data: bytes) -> None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as parts:
            sizes = [each.file_size for each in parts.infolist()]
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise DeckRefused(_("This is not an XLSX file: %(error)s.") % {"error": error}) from error
    # Python unpacks no more of a part than its directory says.
    if sum(sizes) > MAX_UNPACKED or len(sizes) > MAX_PARTS:
        message = _(
            "The file unpacks to %(size)s MB in %(parts)s parts; at most %(most)s MB in %(most_parts)s "
            "are read. Copy the table into a new file."
        )
        sums = {"size": sum(sizes) // 2**20, "parts": len(sizes)}
        limits = {"most": MAX_UNPACKED // 2**20, "most_parts": MAX_PARTS}
        raise DeckRefused(message % {**sums, **limits})


def _cells(data: bytes, *, values: bool) -> list[list[Any]]:
    """Return the cells of the open sheet, formulas as their ``values`` or as they are written."""
    from openpyxl import load_workbook  # noqa: PLC0415 - an extra

    try:
        book = load_workbook(BytesIO(data), read_only=True, data_only=values, keep_links=False)
        sheet = book.active
        if sheet is None or not hasattr(sheet, "iter_rows"):
            raise DeckRefused(_("The open sheet of the file is not a table."))
        # The file says how large it is, and may be wrong.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS + 1, values_only=True)
        found = [list(row) for row in rows]
        book.close()
    except DeckRefused:
        raise
    except Exception as error:  # openpyxl raises whatever its parsers do: KeyError, TypeError, …
        raise DeckRefused(_("This is not an XLSX file: %(error)s.") % {"error": error}) from error
    return found


def _text_of(value: Any, source: Any, *, place: str) -> str:
    """Return the text of a cell. Raises ``ValueError`` for what a spreadsheet displays otherwise."""
    if value is None:
        if source is not None:
            message = _(
                "Cell %(place)s is a formula without a stored value. Open the file in a spreadsheet "
                "and save it."
            )
            raise ValueError(message % {"place": place})
        return ""
    if isinstance(value, str):
        return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    is_date = isinstance(value, datetime.date | datetime.time | datetime.timedelta)
    message = (
        _("Cell %(place)s is a date or a time. Format it as text and type it as pictures show it.")
        if is_date
        else _(
            "Cell %(place)s is the number %(value)s. Format it as text and type it as pictures show it."
        )
    )
    raise ValueError(message % {"place": place, "value": value})


def looks_like_xlsx(data: bytes) -> bool:
    """Return whether ``data`` is a ZIP archive, as XLSX files are."""
    return data.startswith(b"PK\x03\x04")

"""Copy decks as Excel files: every cell is a text, and only texts are taken."""

import datetime
import zipfile
from io import BytesIO

import openpyxl
import pytest

from nb_catalog.copydecks import xlsx_format
from nb_catalog.exceptions import DeckRefused

LOCALES = ["en", "de", "pt-br"]


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def read(data):
    return dict(xlsx_format.from_xlsx(data, locales=LOCALES).texts)


def test_cells_are_texts_that_no_spreadsheet_evaluates():
    texts = {"en": {"badge": "=1+1", "price": "0012"}}
    data = xlsx_format.as_xlsx(texts, locales=LOCALES)
    sheet = openpyxl.load_workbook(BytesIO(data)).active
    assert [cell.value for cell in sheet[1]] == ["role", *LOCALES]
    cell = sheet["B2"]
    assert (cell.value, cell.data_type, cell.number_format, cell.quotePrefix) == (
        "=1+1", "s", "@", True
    )  # fmt: skip
    assert read(data)["en", "price"] == "0012"


def test_headers_and_empty_cells_of_people_are_read():
    data = workbook(["Role", "DE", "pt_BR", None], ["headline", "Angebot", None, None], [None])
    assert read(data) == {("de", "headline"): "Angebot", ("pt-br", "headline"): ""}


def test_whole_numbers_are_texts_and_what_is_displayed_otherwise_is_refused_with_its_place():
    assert read(workbook(["role", "en"], ["badge", 20], ["price", 20.0]))["en", "price"] == "20"
    with pytest.raises(DeckRefused) as caught:
        read(workbook(["role", "en"], ["badge", datetime.date(2026, 1, 2)], ["price", 0.3]))
    assert [each.split(".")[0] for each in caught.value.objections] == [
        "Cell B2 is a date or a time", "Cell B3 is the number 0",
    ]  # fmt: skip


def test_formulas_are_read_as_their_values_and_never_as_empty():
    with pytest.raises(DeckRefused, match="Cell B2 is a formula without a stored value"):
        read(workbook(["role", "en"], ["badge", "=1+1"]))
    data = workbook(["role", "en"], ["badge", "=1+1"])
    parts = {}
    with zipfile.ZipFile(BytesIO(data)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    [name] = [each for each in parts if each.endswith("sheet1.xml")]
    assert b"<v></v>" in parts[name] or b"<v />" in parts[name] or b"<v/>" in parts[name]
    for empty in (b"<v></v>", b"<v />", b"<v/>"):
        parts[name] = parts[name].replace(empty, b"<v>2</v>")
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as book:
        for each, content in parts.items():
            book.writestr(each, content)
    assert read(file.getvalue()) == {("en", "badge"): "2"}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([["name", "en"]], "The first column must be called 'role', not 'name'."),
        ([["role", "xx"], ["a", "b"]], "There is no language 'xx'."),
        ([["role", *["en"] * 500]], "501 columns are too many|401 columns are too many"),
        ([["role", "en"], *[[f"r{n}", "x"] for n in range(1001)]], "1001 rows are too many"),
        ([["role", "en"], ["a", "b", "c"]], "Row 2 has more cells than there are columns"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(rows, says):
    with pytest.raises(DeckRefused, match=says):
        read(workbook(*rows))


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", b" " * (64 * 2**20))
    assert len(file.getvalue()) < 100_000
    with pytest.raises(DeckRefused, match="unpacks to 64 MB"):
        read(file.getvalue())


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"PK\x03\x04" + b"x" * 500])
def test_what_is_not_a_workbook_is_refused(data):
    with pytest.raises(DeckRefused, match="not an XLSX file"):
        read(data)


def test_another_archive_is_refused():
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as book:
        book.writestr("content.xml", "<office/>")
    with pytest.raises(DeckRefused, match="not an XLSX file"):
        read(file.getvalue())


def test_without_the_extra_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(xlsx_format, "is_available", lambda: False)
    for act in (
        lambda: xlsx_format.as_xlsx({}, locales=LOCALES),
        lambda: xlsx_format.from_xlsx(b"PK\x03\x04", locales=LOCALES),
    ):
        with pytest.raises(DeckRefused, match=r"pip install 'nb-catalog\[xlsx\]'"):
            act()

"""Copy decks as CSV: what is written comes back, what spreadsheets make of it too."""

import csv
import time
from io import StringIO

import pytest

from nb_catalog.copydecks import csv_format
from nb_catalog.exceptions import DeckRefused

LOCALES = ["en", "de", "ar"]
WORDS = {
    "en": {"headline": 'Say "hello", all', "badge": "-30 %", "call": "two\nlines"},
    "de": {"headline": "Grüß; Gott", "badge": "=SUM(A1)"},
    "ar": {"headline": "عرض الخريف", "price": "الآن {price}"},
}


def read(text, locales=LOCALES, encoding="utf-8"):
    return dict(csv_format.from_csv(text.encode(encoding), locales=locales).texts)


def test_what_is_written_comes_back():
    written = csv_format.as_csv(WORDS, locales=LOCALES)
    wanted = {
        (locale, role): WORDS[locale].get(role, "")
        for locale in LOCALES
        for role in ("headline", "badge", "call", "price")
    }
    assert read(written) == wanted


def test_a_spreadsheet_gets_no_formula():
    rows = list(csv.reader(StringIO(csv_format.as_csv(WORDS, locales=LOCALES))))
    assert rows[0] == ["\ufeffrole", "en", "de", "ar"]
    assert rows[2] == ["badge", "'-30 %", "'=SUM(A1)", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_of_spreadsheets_are_read(encoding, delimiter):
    text = f"Role{delimiter}de{delimiter}ar\r\nheadline{delimiter}Grüße{delimiter}عرض\r\n\r\n"
    assert read(text, encoding=encoding) == {
        ("de", "headline"): "Grüße", ("ar", "headline"): "عرض"
    }  # fmt: skip


def test_cells_that_a_spreadsheet_left_out_are_empty():
    assert read("role,en,de\nheadline,Sale\n") == {
        ("en", "headline"): "Sale", ("de", "headline"): ""
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The first column must be called 'role', not ''."),
        ("name,en\nheadline,Sale", "not 'name'"),
        ("role\nheadline", "no column with a language"),
        ("role,en,dee\nheadline,a,b", "There is no language 'dee'. Did you mean 'de'?"),
        ("role,en,en\nheadline,a,b", "The column 'en' appears more than once."),
        ("role,en\nheadline,a\nheadline,b", "'headline' is in row 2 and in row 3"),
        ("role,en\n,a", "Row 2 has no role."),
        ("role,en\nheadline,Sale, now", "Row 2 has more cells than there are columns."),
        ('role,en\nheadline,"Sale', "This is not a CSV table"),
        ("role,en\n" + "".join(f"r{n},x\n" for n in range(1001)), "1001 rows are too many"),
    ],
)
def test_a_wrong_table_says_what_is_wrong_and_where(text, says):
    with pytest.raises(DeckRefused) as caught:
        read(text)
    assert says in str(caught.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(DeckRefused) as caught:
        read("role,en\n,a\nx,b\nx,c")
    assert len(caught.value.objections) == 2


def test_another_encoding_is_said_with_what_to_do():
    with pytest.raises(DeckRefused, match="Save it as “CSV UTF-8”"):
        read("role,de\nheadline,Grüße", encoding="latin-1")


@pytest.mark.parametrize(
    "text", ["=x", "'=x", "''=x", "-30 %", "'-tis", "'tis", "'", "@me", "'＋1"]
)
def test_apostrophes_come_back_as_they_were(text):
    written = csv_format.as_csv({"en": {"badge": text}}, locales=["en"])
    assert read(written)["en", "badge"] == text
    [_header, [_role, cell]] = csv.reader(StringIO(written))
    assert not cell.startswith(tuple("=+-@＝＋－＠"))


def test_what_spreadsheets_add_is_understood():
    table = 'sep=;\r\nrole;DE;de-AT;pt_BR;;;\r\nheadline;"a;b";c;d;;;\r\n;;;;;;\r\n'
    assert read(table, ["en", "de", "de-at", "pt-br"]) == {
        ("de", "headline"): "a;b", ("de-at", "headline"): "c", ("pt-br", "headline"): "d"
    }  # fmt: skip


def test_a_language_that_is_nearly_one_of_the_shop_is_taken_with_a_warning():
    found = csv_format.from_csv(b"role,de-CH\nheadline,a\n", locales=["en", "de"])
    assert dict(found.texts) == {("de", "headline"): "a"}
    assert found.warnings == ("The language 'de-CH' is taken for 'de'.",)
    with pytest.raises(DeckRefused, match="no language 'en-AU'"):
        csv_format.from_csv(b"role,en-AU\nheadline,a\n", locales=["en-gb", "en-us"])


def test_two_columns_for_one_language_are_refused():
    with pytest.raises(DeckRefused, match="'de' appears more than once"):
        read("role,de,DE\nheadline,a,b\n")


@pytest.mark.parametrize(
    "table",
    [
        "role," + ",".join(f"x{n}" for n in range(8000)) + "\nheadline" + ",a" * 8000,
        "role," + ",".join(["en"] * 8000) + "\nheadline" + ",a" * 8000,
        "role,en\nheadline" + ",a" * 200_000,
    ],
)
def test_a_table_of_thousands_of_columns_is_refused_at_once(table):
    started = time.process_time()
    with pytest.raises(DeckRefused, match="columns are too many: at most 400"):
        read(table)
    assert time.process_time() - started < 2, "it was read to its end"


def test_a_zero_byte_is_refused_with_its_place():
    with pytest.raises(DeckRefused, match=r"Line 3, character 5: U\+0000"):
        read("role,en\nheadline,a\nbad,\0x\n")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_read(encoding):
    assert read("role\tde\nheadline\tGrüße\n", encoding=encoding) == {
        ("de", "headline"): "Grüße"
    }  # fmt: skip

"""Text that was read, compared with the requested text."""

import pytest

from nb_catalog.typesetting.ocr_diff import Change, OcrComparison, Token, changes, compare


def tokens(text, *, line=0, sure=True):
    return [Token(word, line=line, sure=sure) for word in text.split()]


def read(texts, *lines, locale="en", **options):
    result = [token for number, line in enumerate(lines) for token in tokens(line, line=number)]
    return compare(texts, {"A": result}, locale=locale, **options)


def test_all_texts_in_any_order_are_exact():
    reading = read({"headline": "Autumn offer", "price": "€12.50"}, "€12.50", "Autumn", "offer")
    assert reading.is_exact and reading.share == 1 and reading.reader == "A"
    assert reading.said == {"headline": "Autumn offer", "price": "€12.50"}


@pytest.mark.parametrize(
    ("line", "share"),
    [
        ("Autum offer", 10 / 11),
        ("Autumnn offer", 11 / 12),
        ("Autumn 0ffer", 10 / 11),
        ("autumn offer", 10 / 11),
        ("Autumn", 6 / 11),
        ("", 0),
    ],
)
def test_a_letter_too_few_too_many_or_wrong_is_counted(line, share):
    reading = read({"headline": "Autumn offer"}, line)
    assert reading.share == pytest.approx(share, abs=1e-4)
    assert not reading.is_exact and reading.said == {"headline": line}


def test_extra_words_are_reported_unless_the_product_has_them():
    lines = ("Autumn offer", "FREE SHIPPING", "ACME", "x")
    reading = read({"headline": "Autumn offer"}, *lines, known=["ACME"])
    assert reading.share == 1 and reading.extra == ("FREE", "SHIPPING") and not reading.is_exact


@pytest.mark.parametrize("lines", [("Sale Sale",), ("Sale", "Sale")])
def test_a_text_that_was_painted_twice_is_reported(lines):
    assert read({"badge": "Sale"}, *lines).extra == ("Sale",)


@pytest.mark.parametrize(
    ("text", "line", "same"),
    [
        ("12 m²", "12 m2", False),
        ("½ off", "1/2 off", False),
        ("№ 7", "No 7", False),
        ("finest", "ﬁnest", True),
        ("秋 – 夏！", "秋－夏!", True),
        ("cafe\u0301", "café", True),
    ],
)
def test_meaningful_characters_are_distinguished_and_variants_are_not(text, line, same):
    assert read({"headline": text}, line).is_exact is same


def test_unsure_tokens_on_other_lines_do_not_count():
    result = [*tokens("Sale"), *tokens("lli", line=1, sure=False)]
    assert compare({"headline": "Sale"}, {"A": result}, locale="en").is_exact


def test_the_closest_reading_of_each_text_counts():
    readings = {
        "A": [*tokens("OceHHee"), *tokens("12 €", line=1)],
        "B": [*tokens("Осеннее"), *tokens("l2 €", line=1)],
    }
    reading = compare({"headline": "Осеннее", "price": "12 €"}, readings, locale="ru")
    assert reading.is_exact and reading.reader == "A, B"
    assert reading.said == {"headline": "Осеннее", "price": "12 €"}


def test_without_a_reader_nothing_is_exact():
    assert not OcrComparison().is_exact
    assert not compare({"headline": "Sale"}, {"A": []}, locale="en").is_exact


def test_a_comparison_survives_its_json_column():
    reading = read({"headline": "Autumn offer"}, "Autum offer", "MORE")
    assert OcrComparison.from_dict(reading.as_dict()) == reading


def test_a_difference_is_reported_run_by_run():
    assert changes("Summer sale", "Sumer sales") == [
        Change("same", "Su"),
        Change("missing", "m"),
        Change("same", "mer sale"),
        Change("added", "s"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "extra"),
    [
        ("299 €", "1 299 €", ("1",)),
        ("20 %", "- 20 %", ("-",)),
        ("2 for €5", "2 for €5 0", ("0",)),
        ("299 €", ". 299 € '", ()),
        ("Sale", "Sale !", ("!",)),
    ],
)
def test_beside_a_text_every_character_but_specks_counts(text, line, extra):
    assert read({"price": text}, line).extra == extra


def test_unsure_tokens_beside_a_text_count():
    result = tokens("Autumn offer FREE", sure=False)
    assert compare({"headline": "Autumn offer"}, {"A": result}, locale="en").extra == ("FREE",)


def test_the_reader_of_a_text_decides_what_is_beside_it():
    readings = {"R": tokens("£12.50 eoch"), "T": tokens("€12.50 each")}
    reading = compare({"price": "€12.50"}, readings, locale="en")
    assert reading.reader == "T" and reading.extra == ("each",)
    readings = {"R": tokens("12 990 P"), "T": tokens("12 990 ₽")}
    assert compare({"price": "990 ₽"}, readings, locale="ru").extra == ("12",)


def test_a_line_that_only_one_reader_reads_is_reported_too():
    readings = {"R": tokens("Sale"), "T": [*tokens("Sale"), *tokens("Осень", line=1)]}
    assert compare({"badge": "Sale"}, readings, locale="ru").extra == ("Осень",)


def test_the_edge_of_a_plate_is_ignored_but_requested_quotes_are_not():
    assert read({"price": "9,900원"}, "'9,900원|", locale="ko").is_exact
    assert not read({"headline": "“Sale”"}, "Sale").is_exact

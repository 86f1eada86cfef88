"""What was read, compared with what was asked for."""

import pytest

from nb_catalog.typesetting.ocr_diff import Change, OcrComparison, Token, changes, compare


def pieces(text, *, line=0, sure=True):
    return [Token(word, line=line, sure=sure) for word in text.split()]


def read(words, *lines, locale="en", **options):
    said = [piece for number, line in enumerate(lines) for piece in pieces(line, line=number)]
    return compare(words, {"A": said}, locale=locale, **options)


def test_all_words_in_any_order_are_exact():
    reading = read({"headline": "Autumn offer", "price": "€12.50"}, "€12.50", "Autumn", "offer")
    assert reading.is_exact and reading.share == 1 and reading.reader == "A"
    assert reading.said == {"headline": "Autumn offer", "price": "€12.50"}


@pytest.mark.parametrize(
    ("said", "share"),
    [
        ("Autum offer", 10 / 11),
        ("Autumnn offer", 11 / 12),
        ("Autumn 0ffer", 10 / 11),
        ("autumn offer", 10 / 11),
        ("Autumn", 6 / 11),
        ("", 0),
    ],
)
def test_a_letter_too_few_too_many_or_wrong_is_counted(said, share):
    reading = read({"headline": "Autumn offer"}, said)
    assert reading.share == pytest.approx(share, abs=1e-4)
    assert not reading.is_exact and reading.said == {"headline": said}


def test_words_that_nobody_asked_for_are_told_unless_the_product_has_them():
    said = ("Autumn offer", "FREE SHIPPING", "ACME", "x")
    reading = read({"headline": "Autumn offer"}, *said, known=["ACME"])
    assert reading.share == 1 and reading.extra == ("FREE", "SHIPPING") and not reading.is_exact


@pytest.mark.parametrize("said", [("Sale Sale",), ("Sale", "Sale")])
def test_a_text_that_was_painted_twice_is_told(said):
    assert read({"badge": "Sale"}, *said).extra == ("Sale",)


@pytest.mark.parametrize(
    ("text", "said", "same"),
    [
        ("12 m²", "12 m2", False),
        ("½ off", "1/2 off", False),
        ("№ 7", "No 7", False),
        ("finest", "ﬁnest", True),
        ("秋 – 夏！", "秋－夏!", True),
        ("cafe\u0301", "café", True),
    ],
)
def test_signs_that_mean_something_are_told_apart_and_shapes_are_not(text, said, same):
    assert read({"headline": text}, said).is_exact is same


def test_grain_that_a_reader_is_not_sure_of_is_not_held_against_the_picture():
    said = [*pieces("Sale"), *pieces("lli", line=1, sure=False)]
    assert compare({"headline": "Sale"}, {"A": said}, locale="en").is_exact


def test_of_each_text_the_closest_of_several_readers_counts():
    readings = {
        "A": [*pieces("OceHHee"), *pieces("12 €", line=1)],
        "B": [*pieces("Осеннее"), *pieces("l2 €", line=1)],
    }
    reading = compare({"headline": "Осеннее", "price": "12 €"}, readings, locale="ru")
    assert reading.is_exact and reading.reader == "A, B"
    assert reading.said == {"headline": "Осеннее", "price": "12 €"}


def test_nobody_s_reading_proves_nothing():
    assert not OcrComparison().is_exact
    assert not compare({"headline": "Sale"}, {"A": []}, locale="en").is_exact


def test_a_reading_comes_back_from_the_database_as_it_went_in():
    reading = read({"headline": "Autumn offer"}, "Autum offer", "MORE")
    assert OcrComparison.from_dict(reading.as_dict()) == reading


def test_a_difference_is_told_run_by_run():
    assert changes("Summer sale", "Sumer sales") == [
        Change("same", "Su"),
        Change("missing", "m"),
        Change("same", "mer sale"),
        Change("added", "s"),
    ]


@pytest.mark.parametrize(
    ("asked", "said", "extra"),
    [
        ("299 €", "1 299 €", ("1",)),
        ("20 %", "- 20 %", ("-",)),
        ("2 for €5", "2 for €5 0", ("0",)),
        ("299 €", ". 299 € '", ()),
        ("Sale", "Sale !", ("!",)),
    ],
)
def test_beside_a_text_every_sign_counts_that_is_no_speck(asked, said, extra):
    assert read({"price": asked}, said).extra == extra


def test_whoever_is_sure_enough_to_prove_a_text_is_sure_enough_to_accuse():
    said = pieces("Autumn offer FREE", sure=False)
    assert compare({"headline": "Autumn offer"}, {"A": said}, locale="en").extra == ("FREE",)


def test_the_reader_whose_reading_counts_is_asked_what_stands_beside_it():
    readings = {"R": pieces("£12.50 eoch"), "T": pieces("€12.50 each")}
    reading = compare({"price": "€12.50"}, readings, locale="en")
    assert reading.reader == "T" and reading.extra == ("each",)
    readings = {"R": pieces("12 990 P"), "T": pieces("12 990 ₽")}
    assert compare({"price": "990 ₽"}, readings, locale="ru").extra == ("12",)


def test_a_line_that_one_reader_reads_alone_is_told_too():
    readings = {"R": pieces("Sale"), "T": [*pieces("Sale"), *pieces("Осень", line=1)]}
    assert compare({"badge": "Sale"}, readings, locale="ru").extra == ("Осень",)


def test_the_edge_of_a_plate_is_no_letter_and_a_quote_that_was_asked_for_is_one():
    assert read({"price": "9,900원"}, "'9,900원|", locale="ko").is_exact
    assert not read({"headline": "“Sale”"}, "Sale").is_exact

"""Names of currencies and units, from CLDR and from what shops write."""

import pytest

from nb_catalog.core.quantities import CURRENCY_SIGNS, currency_names, unit_names


def test_signs_are_unicode_s_currency_symbols():
    assert set("€$£¥₹₽₴₸₪฿₫₩₺") <= CURRENCY_SIGNS
    assert not set("%#&№") & CURRENCY_SIGNS


@pytest.mark.parametrize(
    ("language", "name"),
    [("sv", "kr"), ("de", "CHF"), ("pl", "zł"), ("ru", "руб."), ("ar", "د.إ"), ("he", "ש\"ח"), ("xx", "EUR")],
)  # fmt: skip
def test_currencies_are_known_by_their_names(language, name):
    assert name in currency_names(language)


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "GB"),
        ("en", "inches"),
        ("de", "Stunden"),
        ("ru", "часов"),
        ("he", "ס״מ"),
        ("th", "ซม."),
        ("xx", "kg"),
    ],
)
def test_units_are_known_in_the_language(language, name):
    assert name in unit_names(language)


def test_no_unit_is_a_number_or_empty():
    for language in ("en", "de", "ar", "he", "ja", "hi", "ru", "fa"):
        assert all(name.strip() and not name.isdigit() for name in unit_names(language))

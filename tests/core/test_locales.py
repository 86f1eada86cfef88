"""Locales by Django's codes and by BCP 47."""

from datetime import date
from decimal import Decimal

import pytest
from babel import localedata

from nb_catalog.core import locales
from nb_catalog.core.types import Money


@pytest.mark.parametrize(
    ("code", "language", "direction"),
    [
        ("en", "en", 0),
        ("pt-br", "pt", 0),
        ("de_AT", "de", 0),
        ("zh-hans", "zh-Hans", 0),
        ("zh-cn", "zh-Hans", 0),
        ("zh-TW", "zh-Hant", 0),
        ("zh", "zh-Hans", 0),
        ("sr-latn", "sr-Latn", 0),
        ("ar", "ar", 1),
        ("fa", "fa", 1),
        ("he", "he", 1),
        ("ur", "ur", 1),
    ],
)
def test_codes_become_languages_with_a_direction(code, language, direction):
    assert (locales.language_tag(code), locales.direction(code)) == (language, direction)


@pytest.mark.parametrize("code", ["", "xx", "deutsch", "de--AT", "12"])
def test_what_is_no_locale_says_how_one_is_written(code):
    with pytest.raises(ValueError, match="'pt-br'"):
        locales.parse_locale(code)


RLM, LRM, ALM, FSI, PDI = "\u200f", "\u200e", "\u061c", "\u2068", "\u2069"


@pytest.mark.parametrize(
    ("code", "price", "percent"),
    [
        ("ar", f"{FSI}{RLM}1,299.50\u00a0€{PDI}", f"{FSI}-30%{PDI}"),
        ("ar-eg", f"{FSI}{RLM}١٬٢٩٩٫٥٠\u00a0€{PDI}", f"{FSI}{ALM}-٣٠٪{ALM}{PDI}"),
        ("ar-SA", f"{FSI}{RLM}١٬٢٩٩٫٥٠\u00a0€{PDI}", f"{FSI}{ALM}-٣٠٪{ALM}{PDI}"),
        ("ar-ma", f"{FSI}{RLM}1.299,50\u00a0€{PDI}", f"{FSI}-30%{PDI}"),
        ("fa", f"{FSI}{LRM}€\u00a0۱٬۲۹۹٫۵۰{PDI}", f"{FSI}{LRM}\u2212۳۰٪{PDI}"),
        ("bn", "১,২৯৯.৫০€", "-৩০%"),
        ("mr", "€१,२९९.५०", "-३०%"),
        ("my", "၁,၂၉၉.၅၀\u00a0€", "-၃၀%"),
        ("hi", "€1,299.50", "-30%"),
        ("en", "€1,299.50", "-30%"),
    ],
)
def test_numbers_are_written_in_the_locale_s_digits(code, price, percent):
    assert locales.format_value(Money(Decimal("1299.50"), "EUR"), code) == price
    assert locales.format_value(Decimal("-0.3"), code, style="percent") == percent


def test_short_prices_whole_numbers_and_dates_are_in_those_digits_too():
    assert locales.format_value(Money(Decimal(20), "EUR"), "fa", style="short").count("۰") == 1
    assert locales.format_value(12000, "ar-eg") == f"{FSI}١٢٬٠٠٠{PDI}"
    assert locales.format_value(date(2026, 11, 28), "fa") == f"{FSI}۲۸ نوامبر ۲۰۲۶{PDI}"
    assert not any(
        each in "0123456789" for text in locales.sample_texts("ar-eg").values() for each in text
    )


def test_text_that_contains_digits_is_not_translated():
    assert locales.format_value("S24", "ar-eg") == f"{FSI}S24{PDI}"


def test_a_shop_may_keep_latin_digits(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LATIN_DIGITS": ["ar-eg"]}
    assert locales.format_value(12000, "ar-eg") == f"{FSI}12,000{PDI}"
    assert locales.format_value(12000, "ar-sa") == f"{FSI}١٢٬٠٠٠{PDI}"


@pytest.mark.once
def test_every_locale_of_cldr_has_ten_digits():
    for code in localedata.locale_identifiers():
        try:
            locales.parse_locale(code)
        except ValueError:
            continue  # Babel has data for it, but not for its parent
        digits = {each for each in locales.format_value(1234567890, code) if each.isdecimal()}
        assert sorted(map(int, digits)) == list(range(10)), code


SHOP = ["en", "de", "zh-hans", "zh-hant", "pt-br", "he", "nb", "sr"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("DE", "de"), ("de-DE", "de"), ("de_AT", "de"), ("pt_BR", "pt-br"), ("pt", "pt-br"),
        ("zh-CN", "zh-hans"), ("zh_TW", "zh-hant"), ("zh-Hant-HK", "zh-hant"), ("iw", "he"), ("no", "nb"),
        ("sr-Latn", ""), ("fr", ""), ("", ""), ("-", ""), ("xx", ""), ("\0", ""), ("x" * 10_000, ""),
    ],
)  # fmt: skip
def test_a_locale_is_found_however_a_program_spells_it(code, found):
    assert locales.find_locale(code, SHOP) == found


def test_of_several_regions_none_is_guessed():
    assert locales.find_locale("en-AU", ["en-gb", "en-us"]) == ""
    assert locales.find_locale("en", ["en-gb", "en-us"]) == "en-us", "the likely region"
    assert not locales.are_same("de-AT", "de")

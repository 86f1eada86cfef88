"""Locales by Django's codes and by BCP 47."""

import pytest

from nb_catalog.core import locales


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

"""Locales of the shop: their names in BCP 47, which way they are written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_percent

LTR: Final = 0
RTL: Final = 1


@lru_cache(maxsize=256)
def parsed(code: str) -> Locale:
    """What CLDR knows of a locale, by its Django or BCP 47 code: "pt-br", "zh-Hans", "de_AT".

    Raises ``ValueError`` for a code that means nothing.
    """
    try:
        return Locale.parse(code.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(
            f"There is no locale {code!r}. Write a language and, where it matters, a script or a "
            f"region: 'de', 'zh-hans', 'pt-br'."
        ) from error


def language(code: str) -> str:
    """The language, with its script where one language has several: "de", "zh-Hans", "sr-Latn"."""
    locale = parsed(code)
    if locale.language == "zh":
        return f"zh-{locale.script or 'Hans'}"
    return f"{locale.language}-{locale.script}" if locale.script else str(locale.language)


def direction(code: str) -> int:
    """The embedding level of its paragraphs: 0 left to right, 1 right to left."""
    return RTL if parsed(code).character_order == "right-to-left" else LTR


def sample_words(code: str) -> dict[str, str]:
    """Something to read in a locale for each role that the starter layouts have: real words of it,
    as CLDR has them."""
    known, day = parsed(code), date(2026, 11, 28)
    name = str(known.display_name)
    return {
        "headline": format_date(day, "full", locale=known),
        "kicker": format_date(day, "LLLL y", locale=known),
        "subline": name,
        "call": name,
        "badge": f"\u200e{format_percent(-0.3, locale=known)}",
        "price": format_currency(Decimal("1299.50"), "EUR", locale=known),
        "fact_1": format_date(day, "EEEE", locale=known),
        "fact_2": name,
        "fact_3": format_date(day, "medium", locale=known),
    }

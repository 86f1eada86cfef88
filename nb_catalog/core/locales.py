"""Locales of the shop: their names in BCP 47, which way they are written, how values are written in them."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from nb_catalog.conf import settings
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Money

LTR: Final = 0
RTL: Final = 1

# UAX #9, 6.3: a value set into a sentence must not turn round what stands beside it.
_ISOLATED: Final = "\u2068{}\u2069"


@lru_cache(maxsize=256)
def parse_locale(code: str) -> Locale:
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


def language_tag(code: str) -> str:
    """The language, with its script where one language has several: "de", "zh-Hans", "sr-Latn"."""
    locale = parse_locale(code)
    if locale.language == "zh":
        return f"zh-{locale.script or 'Hans'}"
    return f"{locale.language}-{locale.script}" if locale.script else str(locale.language)


def direction(code: str) -> int:
    """The embedding level of its paragraphs: 0 left to right, 1 right to left."""
    return RTL if parse_locale(code).character_order == "right-to-left" else LTR


def sample_words(code: str) -> dict[str, str]:
    """Something to read in a locale for each role that the starter layouts have: real words of it,
    as CLDR has them."""
    known, day = parse_locale(code), date(2026, 11, 28)
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


def fallback_chain(code: str) -> tuple[str, ...]:
    """``code``, then what ``LOCALE_FALLBACKS`` says may stand in for it, in order."""
    return tuple(dict.fromkeys((code, *settings.LOCALE_FALLBACKS.get(code, ()))))


def format_value(value: Any, code: str, *, style: str = "") -> str:
    """``value`` as the locale writes it: money, numbers, dates; anything else as its text.

    ``style`` is one of ``STYLES``. What could turn its surroundings round comes isolated. Raises
    ``ValueError`` for a style that there is not, or that is none for this kind of value.
    """
    if style not in STYLES:
        raise ValueError(f"There is no style {style!r}.{nearest(style, STYLES)}")
    text = _written(value, parse_locale(code), style)
    return _ISOLATED.format(text) if _may_turn(text, direction(code)) else text


def _written(value: Any, known: Locale, style: str) -> str:
    if isinstance(value, bool):
        return str(value)
    if hasattr(value, "amount") and hasattr(value, "currency"):
        return _money(Money(Decimal(value.amount), str(value.currency)), known, style)
    if isinstance(value, int | float | Decimal):
        return _number(value, known, style)
    if isinstance(value, date):
        return _date(value, known, style)
    if style:
        raise ValueError(f"{style!r} is for money, numbers or dates, not for words.")
    return str(value)


def _money(money: Money, known: Locale, style: str) -> str:
    if style not in ("", "short"):
        raise ValueError(f"Money is written plainly or 'short', not {style!r}.")
    if style == "short" and money.amount == money.amount.to_integral_value():
        pattern = known.currency_formats["standard"].pattern.replace(".00", "")
        return format_currency(
            money.amount, money.currency, pattern, locale=known, currency_digits=False
        )
    return format_currency(money.amount, money.currency, locale=known)


def _number(value: int | float | Decimal, known: Locale, style: str) -> str:
    if style == "percent":
        return format_percent(value, locale=known)
    if style:
        raise ValueError(f"A number is written plainly or as 'percent', not {style!r}.")
    return format_decimal(value, locale=known)


def _date(value: date, known: Locale, style: str) -> str:
    if style == "percent":
        raise ValueError("A date is written 'short', 'medium', 'long' or 'full', not as 'percent'.")
    day = value.date() if isinstance(value, datetime) else value
    return format_date(day, style or "medium", locale=known)


STYLES: Final = ("", "short", "medium", "long", "full", "percent")


def _may_turn(text: str, level: int) -> bool:
    """Whether ``text`` in a paragraph of ``level`` could change the order of what is around it: all
    that is filled in from right to left, and what is written the other way elsewhere."""
    return level == RTL or any(unicodedata.bidirectional(each) in ("R", "AL") for each in text)

"""Locales: language tags (BCP 47), writing direction, formatting of values."""

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

# UAX #9, 6.3: a value inserted into a sentence must not reorder the text next to it.
_ISOLATED: Final = "\u2068{}\u2069"


@lru_cache(maxsize=256)
def parse_locale(code: str) -> Locale:
    """Return CLDR's data for a Django or BCP 47 code: "pt-br", "zh-Hans", "de_AT".

    Raises ``ValueError`` for an unknown code.
    """
    try:
        return Locale.parse(code.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(
            f"There is no locale {code!r}. Use a language code, with a script or a region where it "
            f"matters: 'de', 'zh-hans', 'pt-br'."
        ) from error


def language_tag(code: str) -> str:
    """Return the language, with its script if one is given or needed: "de", "zh-Hans", "sr-Latn"."""
    locale = parse_locale(code)
    if locale.language == "zh":
        return f"zh-{locale.script or 'Hans'}"
    return f"{locale.language}-{locale.script}" if locale.script else str(locale.language)


def direction(code: str) -> int:
    """Return the embedding level of paragraphs: 0 for left-to-right, 1 for right-to-left."""
    return RTL if parse_locale(code).character_order == "right-to-left" else LTR


def sample_texts(code: str) -> dict[str, str]:
    """Return a sample text in the locale for each role of the starter layouts, taken from CLDR."""
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
    """Return ``code``, then its ``LOCALE_FALLBACKS`` in order."""
    return tuple(dict.fromkeys((code, *settings.LOCALE_FALLBACKS.get(code, ()))))


STYLES: Final = ("", "short", "medium", "long", "full", "percent")


def format_value(value: Any, code: str, *, style: str = "") -> str:
    """Format ``value`` for the locale: money, numbers and dates; anything else is converted to ``str``.

    ``style`` is one of ``STYLES``. A result that could reorder the text around it is wrapped in bidi
    isolates. Raises ``ValueError`` for an unknown style, or one that does not apply to the value.
    """
    if style not in STYLES:
        raise ValueError(f"There is no style {style!r}.{nearest(style, STYLES)}")
    known = parse_locale(code)
    if isinstance(value, bool):
        text = str(value)
    elif hasattr(value, "amount") and hasattr(value, "currency"):
        text = _format_money(Money(Decimal(value.amount), str(value.currency)), known, style)
    elif isinstance(value, int | float | Decimal):
        if style not in ("", "percent"):
            raise ValueError(f"A number is written plainly or as 'percent', not {style!r}.")
        text = (format_percent if style else format_decimal)(value, locale=known)
    elif isinstance(value, date):
        if style == "percent":
            raise ValueError(
                "A date is written 'short', 'medium', 'long' or 'full', not as 'percent'."
            )
        day = value.date() if isinstance(value, datetime) else value
        text = format_date(day, style or "medium", locale=known)
    elif style:
        raise ValueError(f"{style!r} is for money, numbers or dates, not for text.")
    else:
        text = str(value)
    # In a right-to-left paragraph everything that is filled in; elsewhere what contains such letters.
    reorders = direction(code) == RTL or any(
        unicodedata.bidirectional(char) in ("R", "AL") for char in text
    )
    return _ISOLATED.format(text) if reorders else text


def _format_money(money: Money, known: Locale, style: str) -> str:
    if style not in ("", "short"):
        raise ValueError(f"Money is written plainly or 'short', not {style!r}.")
    if style == "short" and money.amount == money.amount.to_integral_value():
        pattern = known.currency_formats["standard"].pattern.replace(".00", "")
        return format_currency(
            money.amount, money.currency, pattern, locale=known, currency_digits=False
        )
    return format_currency(money.amount, money.currency, locale=known)

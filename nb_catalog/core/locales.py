"""Locales: language tags (BCP 47), writing direction, formatting of values."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from nb_catalog.conf import settings
from nb_catalog.core.text import message as _
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Money

LTR: Final = 0
RTL: Final = 1
# CLDR's name of 0 to 9.
LATIN_DIGITS: Final = "latn"

# UAX #9, 6.3: a value inserted into a sentence must not reorder the text next to it.
_ISOLATED: Final = "\u2068{}\u2069"


# The digit zero of the numbering systems that CLDR gives some locale as its default.
_ZEROS: Final = {
    "adlm": 0x1E950, "arab": 0x0660, "arabext": 0x06F0, "beng": 0x09E6, "cakm": 0x11136, "deva": 0x0966,
    "hmnp": 0x1E140, "mtei": 0xABF0, "mymr": 0x1040, "nkoo": 0x07C0, "olck": 0x1C50, "tibt": 0x0F20,
}  # fmt: skip


@lru_cache(maxsize=256)
def parse_locale(code: str) -> Locale:
    """Return CLDR's data for a Django or BCP 47 code: "pt-br", "zh-Hans", "de_AT".

    Raises ``ValueError`` for an unknown code.
    """
    try:
        return Locale.parse(code.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(
            _(
                "There is no locale %(code)r. Use a language code, with a script or a region where it "
                "matters: 'de', 'zh-hans', 'pt-br'."
            )
            % {"code": code}
        ) from error


def language_tag(code: str) -> str:
    """Return the language, with its script if one is given or needed: "de", "zh-Hans", "sr-Latn"."""
    locale = parse_locale(code)
    if locale.language == "zh":
        return f"zh-{locale.script or 'Hans'}"
    return f"{locale.language}-{locale.script}" if locale.script else str(locale.language)


@lru_cache(maxsize=1024)
def _likely_locale(code: str) -> str:
    """Return language, script and region, the likely ones where ``code`` has none (UTS #35, 4.3)."""
    known, likely = parse_locale(code), get_global("likely_subtags")
    # Both are Norwegian Bokmål, and CLDR has no alias.
    language = "nb" if known.language == "no" else known.language
    script, region = known.script, known.territory
    names = (
        filter(None, each)
        for each in (
            (language, script, region), (language, region), (language, script), (language,)
        )
    )  # fmt: skip
    for name in map("_".join, names):
        if name in likely:
            _language, likely_script, likely_region = likely[name].split("_")[:3]
            script, region = script or likely_script, region or likely_region
            break
    return f"{language}_{script}_{region}"


def are_same(one: str, other: str) -> bool:
    """Return whether two codes name one locale: "de" and "de-DE", "pt_BR" and "pt-br", "zh-TW" and
    "zh-Hant"."""
    if one.replace("_", "-").lower() == other.replace("_", "-").lower():
        return True
    try:
        return _likely_locale(one) == _likely_locale(other)
    except ValueError:
        return False


def find_locale(code: str, known: Iterable[str]) -> str:
    """Return the one of ``known`` that ``code`` names; "" if there is none.

    Spellings of other programs are understood, see ``are_same``. Otherwise the only one with the same
    language and script is meant: "de" for "de-AT", but neither of "en-gb" and "en-us" for "en-AU".
    """
    codes, name = list(known), code.strip()
    exact = [each for each in codes if each.lower() == name.replace("_", "-").lower()]
    if found := exact or [each for each in codes if are_same(each, name)]:
        return found[0]
    try:
        script = _likely_locale(name).rpartition("_")[0]
    except ValueError:
        return ""
    related = [each for each in codes if _likely_locale(each).rpartition("_")[0] == script]
    return related[0] if len(related) == 1 else ""


def direction(code: str) -> int:
    """Return the embedding level of paragraphs: 0 for left-to-right, 1 for right-to-left."""
    return RTL if parse_locale(code).character_order == "right-to-left" else LTR


def sample_texts(code: str) -> dict[str, str]:
    """Return a sample text in the locale for each role of the starter layouts, taken from CLDR."""
    known, day = parse_locale(code), date(2026, 11, 28)
    numbering = numbering_system(code)
    name = str(known.display_name)
    badge = _with_digits(format_percent(-0.3, locale=known), known, numbering, signs=True)
    price = Money(Decimal("1299.50"), "EUR")
    return {
        "headline": _format_date(day, "full", known, numbering),
        "kicker": _format_date(day, "LLLL y", known, numbering),
        "subline": name,
        "call": name,
        # Babel omits the mark that keeps the minus before Latin digits in Arabic.
        "badge": f"\u200e{badge}" if numbering == LATIN_DIGITS else badge,
        "price": _format_money(price, known, "", numbering),
        "fact_1": _format_date(day, "EEEE", known, numbering),
        "fact_2": name,
        "fact_3": _format_date(day, "medium", known, numbering),
    }


def numbering_system(code: str) -> str:
    """Return CLDR's name of the digits that numbers are written in: "latn", "arab", "deva".

    It is the locale's default, or "latn" for the locales in ``LATIN_DIGITS``.
    """
    default = str(parse_locale(code).default_numbering_system)
    is_latin = default not in _ZEROS or code in settings.LATIN_DIGITS
    return LATIN_DIGITS if is_latin else default


def fallback_chain(code: str) -> tuple[str, ...]:
    """Return ``code``, then its ``LOCALE_FALLBACKS`` in order."""
    return tuple(dict.fromkeys((code, *settings.LOCALE_FALLBACKS.get(code, ()))))


STYLES: Final = ("", "short", "medium", "long", "full", "percent")


def format_value(value: Any, code: str, *, style: str = "") -> str:
    """Format ``value`` for the locale: money, numbers and dates; anything else is converted to ``str``.

    Digits are those of the locale's ``numbering_system``.
    ``style`` is one of ``STYLES``. A result that could reorder the text around it is wrapped in bidi
    isolates. Raises ``ValueError`` for an unknown style, or one that does not apply to the value.
    """
    if style not in STYLES:
        raise ValueError(
            _("There is no style %(style)r.") % {"style": style} + nearest(style, STYLES)
        )
    known, numbering = parse_locale(code), numbering_system(code)
    if isinstance(value, bool):
        text = str(value)
    elif hasattr(value, "amount") and hasattr(value, "currency"):
        text = _format_money(
            Money(Decimal(value.amount), str(value.currency)), known, style, numbering
        )
    elif isinstance(value, int | float | Decimal):
        if style not in ("", "percent"):
            raise ValueError(
                _("A number is written plainly or as 'percent', not %(style)r.") % {"style": style}
            )
        format_number = format_percent if style else format_decimal
        text = format_number(value, locale=known, numbering_system=numbering)
        text = _with_digits(text, known, numbering, signs=True)
    elif isinstance(value, date):
        if style == "percent":
            raise ValueError(
                _("A date is written 'short', 'medium', 'long' or 'full', not as 'percent'.")
            )
        day = value.date() if isinstance(value, datetime) else value
        text = _format_date(day, style or "medium", known, numbering)
    elif style:
        raise ValueError(
            _("%(style)r is for money, numbers or dates, not for text.") % {"style": style}
        )
    else:
        text = str(value)
    # In a right-to-left paragraph everything that is filled in; elsewhere what contains such letters.
    reorders = direction(code) == RTL or any(
        unicodedata.bidirectional(char) in ("R", "AL") for char in text
    )
    return _ISOLATED.format(text) if reorders else text


def _format_money(money: Money, known: Locale, style: str, numbering: str) -> str:
    if style not in ("", "short"):
        raise ValueError(
            _("Money is written plainly or 'short', not %(style)r.") % {"style": style}
        )
    pattern, has_cents = None, True
    if style == "short" and money.amount == money.amount.to_integral_value():
        pattern = known.currency_formats["standard"].pattern.replace(".00", "")
        has_cents = False
    text = format_currency(
        money.amount, money.currency, pattern, locale=known, currency_digits=has_cents,
        numbering_system=numbering,
    )  # fmt: skip
    return _with_digits(text, known, numbering, signs=True)


def _format_date(day: date, style: str, known: Locale, numbering: str) -> str:
    return _with_digits(format_date(day, style, locale=known), known, numbering, signs=False)


def _with_digits(text: str, known: Locale, numbering: str, *, signs: bool) -> str:
    """Return ``text`` with the digits of a numbering system, and with its minus and percent sign if
    ``signs``; Babel replaces its separators only."""
    if numbering == LATIN_DIGITS:
        return text
    table = {ord("0") + digit: _ZEROS[numbering] + digit for digit in range(10)}
    symbols = known.number_symbols.get(numbering, {})
    names = {"-": "minusSign", "%": "percentSign"} if signs else {}
    replaced = {ord(sign): symbols.get(name, sign) for sign, name in names.items()}
    return text.translate({**table, **replaced})

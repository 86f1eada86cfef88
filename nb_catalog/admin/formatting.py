"""Format amounts of money, durations, places and languages for people."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import Final

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from nb_catalog.core import locales
from nb_catalog.models.db.money import usd
from nb_catalog.models.placements import Place

# From this amount on, USD are shown with two decimals; drafts cost cents and need four.
TWO_DECIMALS_FROM: Final = Decimal(100)


def dollars(amount: Decimal) -> str:
    """Format ``amount`` (USD), rounded up to four decimals, or to two from 100 USD on."""
    places = 4 if amount < TWO_DECIMALS_FROM else 2
    rounded = amount.quantize(Decimal(1).scaleb(-places), ROUND_UP)
    return f"${number_format(rounded, decimal_pos=places, use_l10n=True, force_grouping=True)}"


def micro_dollars(amount: int | None) -> str:
    """Format a column of micro-dollars; None means that the cost was not reported."""
    return gettext("not reported") if amount is None else dollars(usd(amount))


def duration(seconds: float) -> str:
    """Format ``seconds`` roughly, in seconds, minutes or hours."""
    if seconds < 90:
        whole = max(1, round(seconds))
        return ngettext("%d second", "%d seconds", whole) % whole
    if seconds < 90 * 60:
        whole = round(seconds / 60)
        return ngettext("%d minute", "%d minutes", whole) % whole
    whole = round(seconds / 3600)
    return ngettext("%d hour", "%d hours", whole) % whole


def place_name(slot: str, *, position: int = 0, locale: str = "") -> str:
    """Return the name of a place: "hero", "gallery 2", "gallery 2 · de". ``position`` counts from 0.

    It is the same everywhere in the admin; the first position has no number.
    """
    name = f"{slot} {position + 1}" if position else slot
    return f"{name} · {locale}" if locale else name


def name_of_place(place: Place) -> str:
    """Return the name of the place of a placement, which includes its language."""
    return place_name(place.slot, position=place.position, locale=place.locale)


def language_name(code: str) -> str:
    """Return the language's name in that language, or the code itself if it is unknown."""
    try:
        return str(locales.parse_locale(code).display_name)
    except ValueError:
        return code

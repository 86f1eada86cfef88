"""Money and time as people read them."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import Final

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from nb_catalog.models.db.money import usd

_FOUR: Final = Decimal("0.0001")
_TWO: Final = Decimal("0.01")
MUCH: Final = Decimal(100)


def dollars(amount: Decimal) -> str:
    """``amount`` in USD, rounded up: four decimals below 100, where a draft costs cents."""
    places = 4 if amount < MUCH else 2
    rounded = amount.quantize(_FOUR if places == 4 else _TWO, ROUND_UP)
    return f"${number_format(rounded, decimal_pos=places, use_l10n=True, force_grouping=True)}"


def micro_dollars(amount: int | None) -> str:
    """A money column as text; None was not reported."""
    return gettext("not reported") if amount is None else dollars(usd(amount))


def duration(seconds: float) -> str:
    """A rough guess in words: seconds, minutes or hours."""
    if seconds < 90:
        whole = max(1, round(seconds))
        return ngettext("%d second", "%d seconds", whole) % whole
    if seconds < 90 * 60:
        whole = round(seconds / 60)
        return ngettext("%d minute", "%d minutes", whole) % whole
    whole = round(seconds / 3600)
    return ngettext("%d hour", "%d hours", whole) % whole

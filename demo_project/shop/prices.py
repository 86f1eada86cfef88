"""Prices as each language writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.utils import formats, translation

SYMBOLS: Final = {"EUR": "€", "GBP": "£", "USD": "$"}


def written(amount: Decimal, *, currency: str, locale: str) -> str:
    """``€48.00`` in English, ``48,00 €`` in the other languages (the order is CLDR's)."""
    with translation.override(locale):
        number = formats.number_format(amount, decimal_pos=2, force_grouping=True)
    symbol = SYMBOLS.get(currency, currency)
    return f"{symbol}{number}" if locale.startswith("en") else f"{number}\N{NO-BREAK SPACE}{symbol}"

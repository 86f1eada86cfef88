"""Money in columns: whole millionths of a US dollar.

SQLite adds decimals as floating point, so a sum kept by ``UPDATE ... SET spent = spent + x``
would drift there. Integers are exact in every database.
"""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import Any

from django.db import models

MICROS = Decimal(1_000_000)
CENT = Decimal("0.01")


def micros(amount: Decimal) -> int:
    """Convert US dollars to millionths, rounded away from zero."""
    return int((amount * MICROS).to_integral_value(rounding=ROUND_UP))


def usd(amount: int) -> Decimal:
    """Convert millionths to US dollars, exactly."""
    return Decimal(amount) / MICROS


def usd_text(amount: Decimal) -> str:
    """Format ``amount`` in USD with at least two decimals, without losing digits."""
    amount = amount.normalize()
    has_cents = int(amount.as_tuple().exponent) <= -2
    return format(amount if has_cents else amount.quantize(CENT), "f")


class MicroUSDField(models.BigIntegerField):  # type: ignore[type-arg]
    """An amount in millionths of a US dollar."""

    def __init__(self, *args: Any, **options: Any) -> None:
        if not options.get("null"):
            options.setdefault("default", 0)
        super().__init__(*args, **options)

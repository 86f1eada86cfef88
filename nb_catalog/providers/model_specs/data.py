"""The shipped model specs, as Google and others documented the models in November 2026."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from nb_catalog.core.types import Treatment
from nb_catalog.providers.model_specs.sizes import RATIOS
from nb_catalog.providers.model_specs.spec import ModelSpec

_AS_OF: Final = date(2026, 11, 21)
_WITHOUT_STRIPS: Final = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")

_ROWS: Final = (
    ModelSpec(
        id="local-studio",
        provider="local",
        name="Local studio",
        free=True,
        sizes=("1K", "2K", "4K"),
        ratios=RATIOS,
        max_references=1,
        treatments=(Treatment.LOCKED, Treatment.RELIT),
        seconds={"1K": 2.0, "2K": 5.0, "4K": 15.0},
    ),
    ModelSpec(
        id="gemini-3.1-flash-lite-image",
        provider="gemini",
        name="Nano Banana 2 Lite",
        batch=True,
        sizes=("1K",),
        # One of Google's pages omits the four strips; the other lists all 14 ratios.
        ratios=RATIOS,
        max_references=14,
        thinking=("minimal", "high"),
        usd_per_million={
            "input": Decimal("0.25"),
            "text_output": Decimal("1.50"),
            "image_output": Decimal(30),
        },
        image_tokens={"1K": 1120},
        price_per_image={"1K": Decimal("0.0336")},
        price_source="Google's price list",
        price_as_of=_AS_OF,
        released=date(2026, 6, 30),
        seconds={"1K": 5.0},
        sends_image_size=False,
    ),
    ModelSpec(
        id="gemini-nano-banana-2.1",
        provider="gemini",
        name="Nano Banana 2.1",
        batch=True,
        sizes=("1K", "2K", "4K"),
        ratios=RATIOS,
        max_references=14,
        thinking=("minimal", "medium", "high"),
        usd_per_million={
            "input": Decimal("1.50"),
            "text_output": Decimal("7.50"),
            "image_output": Decimal(30),
        },
        # One page says 2,520 tokens for 4K, another 3,780: the larger number is reserved, the
        # response's own count is paid.
        image_tokens={"1K": 1120, "2K": 1680, "4K": 3780},
        price_per_image={"1K": Decimal("0.0336"), "2K": Decimal("0.0504"), "4K": Decimal("0.1134")},
        price_source="reported; Google's pages disagree about 4K",
        price_as_of=_AS_OF,
        released=date(2026, 10, 6),
        seconds={"1K": 16.0, "2K": 19.0, "4K": 30.0},
    ),
    ModelSpec(
        id="gemini-3.1-flash-image",
        provider="gemini",
        name="Nano Banana 2",
        batch=True,
        sizes=("512", "1K", "2K", "4K"),
        ratios=RATIOS,
        max_references=14,
        thinking=("minimal", "high"),
        usd_per_million={
            "input": Decimal("0.50"),
            "text_output": Decimal("3.00"),
            "image_output": Decimal(60),
        },
        image_tokens={"512": 747, "1K": 1120, "2K": 1680, "4K": 2520},
        price_per_image={
            "512": Decimal("0.045"),
            "1K": Decimal("0.067"),
            "2K": Decimal("0.101"),
            "4K": Decimal("0.151"),
        },
        price_source="Google's price list",
        price_as_of=_AS_OF,
        released=date(2026, 5, 28),
        deprecated_on=date(2026, 10, 6),
        # Reported, not confirmed by Google. A host that can still use it sets this to None.
        retired_on=date(2026, 10, 29),
        replaced_by="gemini-nano-banana-2.1",
        seconds={"512": 8.0, "1K": 12.0, "2K": 19.0, "4K": 30.0},
    ),
    ModelSpec(
        id="gemini-3-pro-image",
        provider="gemini",
        name="Nano Banana Pro",
        batch=True,
        sizes=("1K", "2K", "4K"),
        ratios=_WITHOUT_STRIPS,
        max_references=14,
        usd_per_million={
            "input": Decimal("2.00"),
            "text_output": Decimal("12.00"),
            "image_output": Decimal(120),
        },
        image_tokens={"1K": 1120, "2K": 1120, "4K": 2000},
        price_per_image={"1K": Decimal("0.134"), "2K": Decimal("0.134"), "4K": Decimal("0.24")},
        price_source="Google's price list",
        price_as_of=_AS_OF,
        released=date(2026, 5, 28),
        seconds={"1K": 61.0, "2K": 61.0, "4K": 120.0},
    ),
    ModelSpec(
        id="gemini-2.5-flash-image",
        provider="gemini",
        name="Nano Banana",
        batch=True,
        sizes=("1K",),
        ratios=_WITHOUT_STRIPS,
        max_references=3,
        thinking_tokens=0,
        usd_per_million={
            "input": Decimal("0.30"),
            "text_output": Decimal("2.50"),
            "image_output": Decimal(30),
        },
        image_tokens={"1K": 1290},
        price_per_image={"1K": Decimal("0.039")},
        price_source="Google's price list; sources disagree about the model's end",
        price_as_of=_AS_OF,
        released=date(2025, 10, 2),
        deprecated_on=date(2026, 10, 2),
        retired_on=date(2026, 10, 2),
        replaced_by="gemini-nano-banana-2.1",
        seconds={"1K": 10.0},
        sends_image_size=False,
    ),
)

SHIPPED: Final[Mapping[str, ModelSpec]] = {row.id: row for row in _ROWS}

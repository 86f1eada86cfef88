"""The server's books: every request, what was worked on, and what it costs by the card's prices."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import ROUND_UP, Decimal
from typing import Any, Final

from nb_catalog.exceptions import RequestRefused
from nb_catalog.providers.model_specs import spec_for

CALLS: Final = ("generateContent", "batch item", "interactions.create")
_MICRO: Final = Decimal("0.000001")
_MILLION: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request, or one item of a batch. ``status`` is None when no answer went out.

    ``worked``: the model did its work, and ``billed_usd`` is its price. ``told``: the client was
    told the ``usage``. ``prompt`` is the sha256 of the words (64 hex digits), never the words.
    """

    number: int
    at: float
    operation: str
    path: str
    model: str = ""
    status: int | None = 200
    fault: str = ""
    worked: bool = False
    told: bool = False
    usage: Mapping[str, Any] = field(default_factory=dict)
    billed_usd: Decimal = Decimal(0)
    prompt: str = ""
    key: str = ""
    display_name: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data; money as text."""
        return {**asdict(self), "usage": dict(self.usage), "billed_usd": str(self.billed_usd)}


class Ledger:
    """Entries in the order in which they were answered. Read it from any thread."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    @property
    def entries(self) -> tuple[Entry, ...]:
        with self._lock:
            return tuple(self._entries)

    def of(self, operation: str) -> list[Entry]:
        """Entries of one operation, such as "batches.create"."""
        return [entry for entry in self.entries if entry.operation == operation]

    def calls(self) -> list[Entry]:
        """What may cost money: single requests, and items of batches that were worked on."""
        return [entry for entry in self.entries if entry.operation in CALLS]

    def by_prompt(self) -> Counter[str]:
        """How many calls there were for each prompt's sha256."""
        return Counter(entry.prompt for entry in self.calls())

    @property
    def billed_usd(self) -> Decimal:
        """What everything comes to."""
        return sum((entry.billed_usd for entry in self.entries), Decimal(0))


def price_of(usage: Mapping[str, Any], *, model: str, batch: bool = False) -> Decimal:
    """What ``usage``, as Google reports it, costs: rounded up to the micro-dollar.

    Counted by modality, which is another way than ``cards.Card.settle`` takes. A model without
    prices costs nothing here.
    """
    try:
        rates = spec_for(model).usd_per_million
    except RequestRefused:
        return Decimal(0)
    if not rates:
        return Decimal(0)
    made = {
        detail["modality"]: detail["tokenCount"]
        for detail in usage.get("candidatesTokensDetails", ())
    }
    text = made.get("TEXT", 0) + usage.get("thoughtsTokenCount", 0)
    cost = (
        usage.get("promptTokenCount", 0) * rates["input"]
        + text * rates["text_output"]
        + made.get("IMAGE", 0) * rates["image_output"]
    )
    return (cost / _MILLION / (2 if batch else 1)).quantize(_MICRO, ROUND_UP)

"""The server's request log: every request, whether work was done, and its cost by the model's prices."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import ROUND_UP, Decimal
from typing import Any, Final

from nb_catalog.exceptions import RequestRefused
from nb_catalog.providers.model_specs import spec_for

CALLS: Final = ("generateContent", "streamGenerateContent", "batch item", "interactions.create")
_MICRO: Final = Decimal("0.000001")
_MILLION: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request, or one item of a batch. ``status`` is None if no response was sent.

    ``worked`` says that the model did its work, which costs ``billed_usd``; ``reports_usage`` that
    the client received the ``usage``. ``prompt`` is the prompt's sha256 (64 hex digits), never its
    text.
    """

    number: int
    at: float
    operation: str
    path: str
    model: str = ""
    status: int | None = 200
    fault: str = ""
    worked: bool = False
    reports_usage: bool = False
    usage: Mapping[str, Any] = field(default_factory=dict)
    billed_usd: Decimal = Decimal(0)
    prompt: str = ""
    key: str = ""
    display_name: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain data; money is a string."""
        return {**asdict(self), "usage": dict(self.usage), "billed_usd": str(self.billed_usd)}


class RequestLog:
    """Requests in the order of their responses. Thread-safe."""

    def __init__(self) -> None:
        self._entries: list[LoggedRequest] = []
        self._lock = threading.Lock()

    def add(self, entry: LoggedRequest) -> None:
        with self._lock:
            self._entries.append(entry)

    @property
    def entries(self) -> tuple[LoggedRequest, ...]:
        with self._lock:
            return tuple(self._entries)

    def for_operation(self, operation: str) -> list[LoggedRequest]:
        """Return the entries of one operation, such as "batches.create"."""
        return [entry for entry in self.entries if entry.operation == operation]

    def calls(self) -> list[LoggedRequest]:
        """Return what may cost money: single requests, and items of processed batches."""
        return [entry for entry in self.entries if entry.operation in CALLS]

    def by_prompt(self) -> Counter[str]:
        """Return the number of calls by the prompt's sha256."""
        return Counter(entry.prompt for entry in self.calls())

    @property
    def billed_usd(self) -> Decimal:
        """The total cost."""
        return sum((entry.billed_usd for entry in self.entries), Decimal(0))


def price_of(usage: Mapping[str, Any], *, model: str, batch: bool = False) -> Decimal:
    """Return the cost of ``usage``, as Google reports it, rounded up to the micro-dollar.

    Counts by modality, independently of ``ModelSpec.settle``. A model without prices costs nothing
    here.
    """
    try:
        rates = spec_for(model).usd_per_million
    except RequestRefused:
        return Decimal(0)
    if not rates:
        return Decimal(0)
    tokens = {
        detail["modality"]: detail["tokenCount"]
        for detail in usage.get("candidatesTokensDetails", ())
    }
    text = tokens.get("TEXT", 0) + usage.get("thoughtsTokenCount", 0)
    cost = (
        usage.get("promptTokenCount", 0) * rates["input"]
        + text * rates["text_output"]
        + tokens.get("IMAGE", 0) * rates["image_output"]
    )
    return (cost / _MILLION / (2 if batch else 1)).quantize(_MICRO, ROUND_UP)

"""A local Gemini: the service's wire format on a port of this machine, with all its faults."""

from nb_catalog.testing.gemini.answers import (
    Answer,
    Fault,
    error,
    error_json,
    json_answer,
    picture,
    picture_json,
)
from nb_catalog.testing.gemini.asked import Received
from nb_catalog.testing.gemini.batch_items import BatchScript
from nb_catalog.testing.gemini.faults import FAULTS, FaultKind, Rate, fault
from nb_catalog.testing.gemini.ledger import Entry, Ledger, price_of
from nb_catalog.testing.gemini.server import GeminiServer

__all__ = [
    "FAULTS",
    "Answer",
    "BatchScript",
    "Entry",
    "Fault",
    "FaultKind",
    "GeminiServer",
    "Ledger",
    "Rate",
    "Received",
    "error",
    "error_json",
    "fault",
    "json_answer",
    "picture",
    "picture_json",
    "price_of",
]

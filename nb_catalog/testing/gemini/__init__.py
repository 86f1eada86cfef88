"""A local Gemini server: the service's wire format on a local port, with all known faults."""

from nb_catalog.testing.gemini.answers import (
    Answer,
    Fault,
    error,
    error_json,
    json_answer,
    picture,
    picture_json,
)
from nb_catalog.testing.gemini.batch_items import BatchScript
from nb_catalog.testing.gemini.drawing import PictureRequest
from nb_catalog.testing.gemini.faults import FAULTS, FaultKind, Rate, fault
from nb_catalog.testing.gemini.request_log import LoggedRequest, RequestLog, price_of
from nb_catalog.testing.gemini.requests import Received
from nb_catalog.testing.gemini.server import GeminiServer

__all__ = [
    "FAULTS",
    "Answer",
    "BatchScript",
    "Fault",
    "FaultKind",
    "GeminiServer",
    "LoggedRequest",
    "PictureRequest",
    "Rate",
    "Received",
    "RequestLog",
    "error",
    "error_json",
    "fault",
    "json_answer",
    "picture",
    "picture_json",
    "price_of",
]

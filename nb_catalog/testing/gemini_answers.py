"""Answers for ``GeminiServer``: pictures, Google's errors, and what goes wrong on the way."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

USAGE: Mapping[str, Any] = {
    "promptTokenCount": 1240,
    "candidatesTokenCount": 1120,
    "thoughtsTokenCount": 200,
    "totalTokenCount": 2560,
    "promptTokensDetails": [
        {"modality": "TEXT", "tokenCount": 120},
        {"modality": "IMAGE", "tokenCount": 1120},
    ],
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}],
}


class Fault(StrEnum):
    """What goes wrong with an answer on its way."""

    NONE = "none"
    DROP = "drop"  # the connection closes without an answer
    CUT = "cut"  # it closes in the middle of the body
    DRIP = "drip"  # the body comes a byte at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One scripted answer. ``body`` None: a picture that fits the request. ``delay`` in seconds."""

    status: int = 200
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    fault: Fault = Fault.NONE


def json_answer(value: object, *, status: int = 200, delay: float = 0.0) -> Answer:
    """Any JSON value as an answer."""
    return Answer(status=status, body=json.dumps(value).encode(), delay=delay)


def picture(
    data: bytes, *, mime_type: str = "image/png", model: str = "scripted", delay: float = 0.0
) -> Answer:
    """A 200 with ``data`` as its picture."""
    return json_answer(picture_json(data, mime_type=mime_type, model=model), delay=delay)


def picture_json(
    data: bytes, *, mime_type: str = "image/png", model: str = "scripted"
) -> dict[str, Any]:
    """The JSON of an answer that went well."""
    blob = {"mimeType": mime_type, "data": base64.b64encode(data).decode("ascii")}
    candidate = {
        "content": {"parts": [{"inlineData": blob}], "role": "model"},
        "finishReason": "STOP",
        "index": 0,
    }
    return {
        "candidates": [candidate],
        "usageMetadata": USAGE,
        "modelVersion": model,
        "responseId": "response-1",
    }


def error(
    code: int,
    status: str,
    message: str = "It went wrong.",
    *,
    retry_delay: str = "",
    quota_id: str = "",
    delay: float = 0.0,
) -> Answer:
    """Google's error body. ``retry_delay`` as Google writes it: ``"2s"``."""
    details: list[dict[str, Any]] = []
    if quota_id:
        violation = {
            "quotaMetric": "generativelanguage.googleapis.com/requests",
            "quotaId": quota_id,
        }
        details.append(
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
        )
    if retry_delay:
        details.append(
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_delay}
        )
    body = {"error": {"code": code, "status": status, "message": message, "details": details}}
    return json_answer(body, status=code, delay=delay)

"""Scripted responses of the local Gemini: pictures, Google's errors, and transport faults."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

GOOGLE_RPC = "type.googleapis.com/google.rpc"
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

# Turns the good response to a request into what is sent instead: other JSON, or bytes.
Change: TypeAlias = Callable[[dict[str, Any]], Any]


class Fault(StrEnum):
    """What goes wrong in transport."""

    NONE = "none"
    DROP = "drop"  # the connection closes without a response
    CUT = "cut"  # it closes in the middle of the body
    DRIP = "drip"  # the body comes a byte at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One scripted response. ``delay`` is in seconds.

    ``body`` None stands for the good response to the request, which ``change`` may alter. ``works``
    says whether the model does the work, which is billed; by default it does for a good response.
    ``name`` is the fault's name in the request log.
    """

    status: int = 200
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    fault: Fault = Fault.NONE
    change: Change | None = field(default=None, repr=False)
    works: bool | None = None
    name: str = ""

    @property
    def does_work(self) -> bool:
        if self.works is None:
            return self.body is None and self.status == 200
        return self.works


def json_answer(value: object, *, status: int = 200, delay: float = 0.0) -> Answer:
    """Return a response with any JSON value."""
    return Answer(status=status, body=json.dumps(value).encode(), delay=delay)


def picture(
    data: bytes, *, mime_type: str = "image/png", model: str = "scripted", delay: float = 0.0
) -> Answer:
    """Return a response with ``data`` as its picture."""
    body = json.dumps(picture_json(data, mime_type=mime_type, model=model)).encode()
    return Answer(body=body, delay=delay, works=True)


def picture_json(
    data: bytes,
    *,
    mime_type: str = "image/png",
    model: str = "scripted",
    usage: Mapping[str, Any] = USAGE,
    response_id: str = "response-1",
) -> dict[str, Any]:
    """Return the JSON of a good response."""
    blob = {"mimeType": mime_type, "data": base64.b64encode(data).decode("ascii")}
    candidate = {
        "content": {"parts": [{"inlineData": blob}], "role": "model"},
        "finishReason": "STOP",
        "index": 0,
    }
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": model,
        "responseId": response_id,
    }


def error_json(
    code: int,
    status: str,
    message: str = "It went wrong.",
    *,
    retry_delay: str = "",
    quota_id: str = "",
    reason: str = "",
) -> dict[str, Any]:
    """Return Google's error body. ``retry_delay`` is written as Google does: ``"2s"``."""
    details: list[dict[str, Any]] = []
    if reason:
        details.append({"@type": f"{GOOGLE_RPC}.ErrorInfo", "reason": reason})
    if quota_id:
        violation = {
            "quotaMetric": "generativelanguage.googleapis.com/requests",
            "quotaId": quota_id,
        }
        details.append({"@type": f"{GOOGLE_RPC}.QuotaFailure", "violations": [violation]})
    if retry_delay:
        details.append({"@type": f"{GOOGLE_RPC}.RetryInfo", "retryDelay": retry_delay})
    return {"error": {"code": code, "status": status, "message": message, "details": details}}


def error(
    code: int,
    status: str,
    message: str = "It went wrong.",
    *,
    retry_delay: str = "",
    quota_id: str = "",
    reason: str = "",
    delay: float = 0.0,
) -> Answer:
    """Return a response with Google's error body."""
    body = error_json(
        code, status, message, retry_delay=retry_delay, quota_id=quota_id, reason=reason
    )
    return json_answer(body, status=code, delay=delay)

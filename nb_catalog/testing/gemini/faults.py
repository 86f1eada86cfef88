"""Everything that the service is known to do wrong, by name; by script or by rate."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Final

from nb_catalog.core.text import nearest
from nb_catalog.core.types import Size
from nb_catalog.testing.gemini.answers import Answer, Change, Fault, error
from nb_catalog.testing.gemini.asked import known_operation
from nb_catalog.testing.pictures import solid_png

FINISH_REASONS: Final = (
    "NO_IMAGE", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER", "SAFETY",
    "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "MAX_TOKENS", "MALFORMED_RESPONSE", "OTHER",
)  # fmt: skip
BLOCK_REASONS: Final = ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY")
WEB_PAGE: Final = (
    b"<!doctype html><html><title>Sign in</title><p>This network wants a password.</html>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """One thing that goes wrong. ``what`` is a sentence for the page about it.

    ``billed``: the work is done and has its price. ``told``: the client is told what was used.
    """

    answer: Answer
    what: str
    billed: bool = False
    told: bool = False


def fault(name: str, *, delay: float = 0.0) -> Answer:
    """The fault called ``name`` as an answer for a script. Raises ``ValueError``."""
    if name not in FAULTS:
        raise ValueError(f"There is no fault {name!r}.{nearest(name, FAULTS)}")
    return replace(FAULTS[name].answer, name=name, delay=delay)


@dataclass(frozen=True)
class Rate:
    """Faults at random: ``share`` of the requests, from ``kinds`` (all that need no person).

    The same ``seed`` gives the same faults to requests in the same order. ``operations`` are
    spoiled, as the ledger names them; one that answers no picture meets only what can happen to it.
    Raises ``ValueError`` for a kind or an operation that there is not.
    """

    share: float
    _: KW_ONLY
    seed: int = 0
    kinds: Collection[str] = ()
    operations: Collection[str] = ("generateContent",)

    def __post_init__(self) -> None:
        for name in self.kinds:
            fault(name)
        for operation in self.operations:
            known_operation(operation)
            if not self._possible(operation):
                raise ValueError(f"None of {sorted(self.kinds)} can happen to {operation!r}.")

    def drawn(self, number: int, *, operation: str = "generateContent") -> Answer | None:
        """The fault of the request with ``number``; None for most."""
        # Not for secrets: the same numbers must come again.
        draw = random.Random(f"{self.seed}.{number}")  # noqa: S311
        if draw.random() >= self.share:
            return None
        return fault(draw.choice(sorted(self._possible(operation))))

    def _possible(self, operation: str) -> frozenset[str]:
        kinds = frozenset(self.kinds or PASSING)
        return kinds if operation == "generateContent" else kinds & ANYWHERE


def _without_picture(reason: str, *, parts: list[Any] | None = None) -> Change:
    """The model worked and shows nothing: its text tokens are billed."""

    def change(good: dict[str, Any]) -> dict[str, Any]:
        candidate: dict[str, Any] = {"finishReason": reason, "index": 0}
        if parts is not None:
            candidate["content"] = {"role": "model", "parts": parts}
        return {**good, "candidates": [candidate], "usageMetadata": _text_only(good)}

    return change


def _text_only(good: Mapping[str, Any]) -> dict[str, Any]:
    usage = good["usageMetadata"]
    prompt, thoughts = usage["promptTokenCount"], usage.get("thoughtsTokenCount", 0)
    return {
        "promptTokenCount": prompt,
        "candidatesTokenCount": 24,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": prompt + thoughts + 24,
        "promptTokensDetails": usage["promptTokensDetails"],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 24}],
    }


def _blocked(reason: str) -> Change:
    def change(good: dict[str, Any]) -> dict[str, Any]:
        prompt = good["usageMetadata"]["promptTokenCount"]
        return {
            "promptFeedback": {"blockReason": reason},
            "usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt},
            "modelVersion": good["modelVersion"],
            "responseId": good["responseId"],
        }

    return change


def _parts(good: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = good["candidates"][0]["content"]["parts"]
    return parts


def _with_parts(good: dict[str, Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    candidate = {**good["candidates"][0], "content": {"role": "model", "parts": parts}}
    return {**good, "candidates": [candidate]}


def _interim(good: dict[str, Any]) -> list[dict[str, Any]]:
    draft = _encoded(solid_png(Size(64, 64), colour=(1, 2, 3)))
    blob = {"mimeType": "image/png", "data": draft}
    return [
        {"text": "Thinking about the light.", "thought": True},
        {"inlineData": blob, "thought": True},
    ]


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _with_blob(**changes: str) -> Change:
    def change(good: dict[str, Any]) -> dict[str, Any]:
        blob = {**_parts(good)[0]["inlineData"], **changes}
        return _with_parts(good, [{"inlineData": blob}])

    return change


_TEXT: Final = [{"text": "I am sorry, here is a description of the picture instead."}]
_CORRUPT: Final = _encoded(solid_png(Size(96, 96))[:-40] + b"\0" * 28)

FAULTS: Final[Mapping[str, FaultKind]] = {
    "rate_limited": FaultKind(
        answer=error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", retry_delay="2s"),
        what="429 with RetryInfo: too many requests a minute",
    ),
    "daily_quota": FaultKind(
        answer=error(
            429,
            "RESOURCE_EXHAUSTED",
            "Quota exceeded.",
            quota_id="RequestsPerDayPerProjectPerModel",
        ),
        what="429 of the day's quota, which starts anew at midnight Pacific time",
    ),
    "spend_cap": FaultKind(
        answer=error(429, "RESOURCE_EXHAUSTED", "Your monthly spending cap has been exceeded."),
        what="429 because the project has spent what it may: no retry helps",
    ),
    "credit_used_up": FaultKind(
        answer=error(402, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
        what="402: the prepaid credit is used up",
    ),
    "internal": FaultKind(answer=error(500, "INTERNAL"), what="500 with Google's error body"),
    "unavailable": FaultKind(
        answer=error(503, "UNAVAILABLE", "The model is overloaded."),
        what="503 with Google's error body",
    ),
    "deadline": FaultKind(
        answer=error(504, "DEADLINE_EXCEEDED"), what="504 with Google's error body"
    ),
    "bad_gateway": FaultKind(
        answer=Answer(
            status=502, body=b"<html>502 Bad Gateway</html>", headers={"Content-Type": "text/html"}
        ),
        what="502 from something between here and Google",
    ),
    "drop_before": FaultKind(
        answer=Answer(fault=Fault.DROP, works=False),
        what="the connection closes before the work was done",
    ),
    "drop_after": FaultKind(
        answer=Answer(fault=Fault.DROP, works=True),
        what="the work was done, and the connection closes without an answer",
        billed=True,
    ),
    "drip": FaultKind(
        answer=Answer(fault=Fault.DRIP, works=True),
        what="the answer comes a byte at a time, longer than anybody waits",
        billed=True,
    ),
    "cut": FaultKind(
        answer=Answer(fault=Fault.CUT, works=True),
        what="the connection closes in the middle of the answer",
        billed=True,
    ),
    "malformed_json": FaultKind(
        answer=Answer(change=lambda good: json.dumps(good).encode()[:-20] + b"..."),
        what="200 with JSON that cannot be read",
        billed=True,
    ),
    "empty_object": FaultKind(
        answer=Answer(change=lambda good: {}), what="200 with `{}`", billed=True
    ),
    "empty_body": FaultKind(
        answer=Answer(change=lambda good: b""), what="200 without a body", billed=True
    ),
    "empty_candidates": FaultKind(
        answer=Answer(
            change=lambda good: {**good, "candidates": [], "usageMetadata": _text_only(good)}
        ),
        what="200 with an empty list of candidates",
        billed=True,
        told=True,
    ),
    **{
        f"finish_{reason.lower()}": FaultKind(
            answer=Answer(change=_without_picture(reason)),
            what=f"200 without a picture, finish reason {reason}",
            billed=True,
            told=True,
        )
        for reason in FINISH_REASONS
    },
    **{
        f"block_{reason.lower()}": FaultKind(
            answer=Answer(change=_blocked(reason)),
            what=f"200 with the block reason {reason}: the request was not looked at",
            billed=True,
            told=True,
        )
        for reason in BLOCK_REASONS
    },
    "text_only": FaultKind(
        answer=Answer(change=_without_picture("STOP", parts=_TEXT)),
        what="200 with words in place of a picture",
        billed=True,
        told=True,
    ),
    "thought_images": FaultKind(
        answer=Answer(change=lambda good: _with_parts(good, [*_interim(good), *_parts(good)])),
        what="a good picture after interim ones that are marked as thoughts",
        billed=True,
        told=True,
    ),
    "only_thought_images": FaultKind(
        answer=Answer(change=lambda good: _with_parts(good, _interim(good))),
        what="interim pictures, and no final one",
        billed=True,
        told=True,
    ),
    "wrong_ratio": FaultKind(
        answer=Answer(
            change=_with_blob(data=_encoded(solid_png(Size(640, 480), colour=(90, 60, 30))))
        ),
        what="a sound picture of another ratio and size than was asked for",
        billed=True,
        told=True,
    ),
    "wrong_mime": FaultKind(
        answer=Answer(change=_with_blob(mimeType="image/jpeg")),
        what="a sound picture that claims to be of another type",
        billed=True,
        told=True,
    ),
    "corrupt_picture": FaultKind(
        answer=Answer(change=_with_blob(data=_CORRUPT)),
        what="a picture that cannot be decoded",
        billed=True,
        told=True,
    ),
    "bad_base64": FaultKind(
        answer=Answer(change=_with_blob(data="@@@not base64@@@")),
        what="a picture whose base64 is broken",
        billed=True,
        told=True,
    ),
    "another_model_version": FaultKind(
        answer=Answer(change=lambda good: {**good, "modelVersion": "gemini-silent-successor-001"}),
        what="a good picture, made by another model than was asked for",
        billed=True,
        told=True,
    ),
    "retired_model": FaultKind(
        answer=error(404, "NOT_FOUND", "This model is not found or no longer available."),
        what="404: the model is gone",
    ),
    "bad_key": FaultKind(
        answer=error(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            reason="API_KEY_INVALID",
        ),
        what="400: the key is wrong or revoked",
    ),  # fmt: skip
    "web_page": FaultKind(
        answer=Answer(body=WEB_PAGE, headers={"Content-Type": "text/html"}),
        what="200 with a web page: a proxy, a sign-in page or a wrong address answered",
    ),
}

# What can happen to any request; the rest is about pictures.
ANYWHERE: Final = frozenset(name for name, kind in FAULTS.items() if kind.answer.change is None) | {
    "malformed_json",
    "empty_object",
    "empty_body",
}
# What stops a whole provider or model until a person has looked, or until tomorrow.
STOPPING: Final = frozenset(
    {"daily_quota", "spend_cap", "credit_used_up", "retired_model", "bad_key", "web_page"}
)
# `drip` is over only when the client gives up.
PASSING: Final = frozenset(FAULTS) - STOPPING - {"drip"}

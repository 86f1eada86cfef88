"""Every known fault of the service, by name: for scripts, or at random by rate."""

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
from nb_catalog.testing.gemini.drawing import with_other_look
from nb_catalog.testing.gemini.requests import validate_operation
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
    """One kind of fault. ``description`` completes the table in docs/testing.md.

    ``billed``: the work is done and costs money. ``reports_usage``: the client receives the usage.
    """

    answer: Answer
    description: str
    billed: bool = False
    reports_usage: bool = False


def fault(name: str, *, delay: float = 0.0) -> Answer:
    """Return the fault called ``name`` for a script. Raises ``ValueError`` if there is none."""
    if name not in FAULTS:
        raise ValueError(f"There is no fault {name!r}.{nearest(name, FAULTS)}")
    return replace(FAULTS[name].answer, name=name, delay=delay)


@dataclass(frozen=True)
class Rate:
    """Random faults in a ``share`` of the requests, from ``kinds`` (by default all temporary ones).

    The same ``seed`` gives the same faults to requests in the same order. ``operations`` have names
    as in the request log; those that do not return pictures only meet faults that are possible
    there. Raises ``ValueError`` for an unknown kind or operation.
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
            validate_operation(operation)
            if not self._possible(operation):
                raise ValueError(f"None of {sorted(self.kinds)} can happen to {operation!r}.")

    def draw(self, number: int, *, operation: str = "generateContent") -> Answer | None:
        """Return the fault of the request with this ``number``; None for most."""
        # Not for secrets: the numbers must be reproducible.
        generator = random.Random(f"{self.seed}.{number}")  # noqa: S311
        if generator.random() >= self.share:
            return None
        return fault(generator.choice(sorted(self._possible(operation))))

    def _possible(self, operation: str) -> frozenset[str]:
        kinds = frozenset(self.kinds or PASSING)
        return kinds if operation == "generateContent" else kinds & ANYWHERE


def _without_picture(reason: str, *, parts: list[Any] | None = None) -> Change:
    """The model did its work and returned no picture: its text tokens are billed."""

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


def _other_look(good: dict[str, Any]) -> dict[str, Any]:
    data = base64.b64decode(_parts(good)[0]["inlineData"]["data"])
    # What the batch service prices has no picture yet.
    return _with_blob(data=_encoded(with_other_look(data)))(good) if data else good


_TEXT: Final = [{"text": "I am sorry, here is a description of the picture instead."}]
_CORRUPT: Final = _encoded(solid_png(Size(96, 96))[:-40] + b"\0" * 28)

FAULTS: Final[Mapping[str, FaultKind]] = {
    "rate_limited": FaultKind(
        answer=error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", retry_delay="2s"),
        description="429 with RetryInfo: too many requests a minute",
    ),
    "daily_quota": FaultKind(
        answer=error(
            429,
            "RESOURCE_EXHAUSTED",
            "Quota exceeded.",
            quota_id="RequestsPerDayPerProjectPerModel",
        ),
        description="429 of the day's quota, which resets at midnight Pacific time",
    ),
    "zero_quota": FaultKind(
        answer=error(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded"
            " for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0,"
            " model: gemini-3.1-flash-lite-image\nPlease retry in 28.4s.",
            quota_id="GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            retry_delay="28s",
        ),
        description="429 of a quota of 0: the free tier does not include the model",
    ),
    "region": FaultKind(
        answer=error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        description="400: Google does not serve the country",
    ),
    "api_disabled": FaultKind(
        answer=error(
            403,
            "PERMISSION_DENIED",
            "Generative Language API has not been used in project 12345 before or it is disabled. Enable it"
            " by visiting https://console.developers.google.com/apis/api/generativelanguage.googleapis.com/"
            "overview?project=12345 then retry.",
            reason="SERVICE_DISABLED",
        ),
        description="403: the API is not enabled in the project",
    ),
    "spend_cap": FaultKind(
        answer=error(429, "RESOURCE_EXHAUSTED", "Your monthly spending cap has been exceeded."),
        description="429 because the project has reached its spend cap: no retry helps",
    ),
    "credit_used_up": FaultKind(
        answer=error(402, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
        description="402: the prepaid credit is used up",
    ),
    "internal": FaultKind(
        answer=error(500, "INTERNAL"), description="500 with Google's error body"
    ),
    "unavailable": FaultKind(
        answer=error(503, "UNAVAILABLE", "The model is overloaded."),
        description="503 with Google's error body",
    ),
    "deadline": FaultKind(
        answer=error(504, "DEADLINE_EXCEEDED"), description="504 with Google's error body"
    ),
    "bad_gateway": FaultKind(
        answer=Answer(
            status=502, body=b"<html>502 Bad Gateway</html>", headers={"Content-Type": "text/html"}
        ),
        description="502 from something between here and Google",
    ),
    "drop_before": FaultKind(
        answer=Answer(fault=Fault.DROP, works=False),
        description="the connection closes before the work was done",
    ),
    "drop_after": FaultKind(
        answer=Answer(fault=Fault.DROP, works=True),
        description="the work was done, and the connection closes without a response",
        billed=True,
    ),
    "drip": FaultKind(
        answer=Answer(fault=Fault.DRIP, works=True),
        description="the response arrives a byte at a time, beyond every timeout",
        billed=True,
    ),
    "cut": FaultKind(
        answer=Answer(fault=Fault.CUT, works=True),
        description="the connection closes in the middle of the response",
        billed=True,
    ),
    "malformed_json": FaultKind(
        answer=Answer(change=lambda good: json.dumps(good).encode()[:-20] + b"..."),
        description="200 with JSON that cannot be read",
        billed=True,
    ),
    "empty_object": FaultKind(
        answer=Answer(change=lambda good: {}), description="200 with `{}`", billed=True
    ),
    "empty_body": FaultKind(
        answer=Answer(change=lambda good: b""), description="200 without a body", billed=True
    ),
    "empty_candidates": FaultKind(
        answer=Answer(
            change=lambda good: {**good, "candidates": [], "usageMetadata": _text_only(good)}
        ),
        description="200 with an empty list of candidates",
        billed=True,
        reports_usage=True,
    ),
    **{
        f"finish_{reason.lower()}": FaultKind(
            answer=Answer(change=_without_picture(reason)),
            description=f"200 without a picture, finish reason {reason}",
            billed=True,
            reports_usage=True,
        )
        for reason in FINISH_REASONS
    },
    **{
        f"block_{reason.lower()}": FaultKind(
            answer=Answer(change=_blocked(reason)),
            description=f"200 with the block reason {reason}: the request was not processed",
            billed=True,
            reports_usage=True,
        )
        for reason in BLOCK_REASONS
    },
    "text_only": FaultKind(
        answer=Answer(change=_without_picture("STOP", parts=_TEXT)),
        description="200 with text instead of a picture",
        billed=True,
        reports_usage=True,
    ),
    "thought_images": FaultKind(
        answer=Answer(change=lambda good: _with_parts(good, [*_interim(good), *_parts(good)])),
        description="a good picture after interim ones that are marked as thoughts",
        billed=True,
        reports_usage=True,
    ),
    "only_thought_images": FaultKind(
        answer=Answer(change=lambda good: _with_parts(good, _interim(good))),
        description="interim pictures, and no final one",
        billed=True,
        reports_usage=True,
    ),
    "blocked_picture": FaultKind(
        answer=Answer(
            change=lambda good: {
                **good,
                "candidates": [{**good["candidates"][0], "finishReason": "IMAGE_SAFETY"}],
            }
        ),
        description="a picture in a response whose finish reason is IMAGE_SAFETY",
        billed=True,
        reports_usage=True,
    ),
    "other_look": FaultKind(
        answer=Answer(change=_other_look),
        description="a good picture, mirrored and in wildly different light and colours",
        billed=True,
        reports_usage=True,
    ),
    "wrong_ratio": FaultKind(
        answer=Answer(
            change=_with_blob(data=_encoded(solid_png(Size(640, 480), colour=(90, 60, 30))))
        ),
        description="a valid picture of another ratio and size than requested",
        billed=True,
        reports_usage=True,
    ),
    "wrong_mime": FaultKind(
        answer=Answer(change=_with_blob(mimeType="image/jpeg")),
        description="a valid picture with the MIME type of another format",
        billed=True,
        reports_usage=True,
    ),
    "corrupt_picture": FaultKind(
        answer=Answer(change=_with_blob(data=_CORRUPT)),
        description="a picture that cannot be decoded",
        billed=True,
        reports_usage=True,
    ),
    "bad_base64": FaultKind(
        answer=Answer(change=_with_blob(data="@@@not base64@@@")),
        description="a picture whose base64 is broken",
        billed=True,
        reports_usage=True,
    ),
    "another_model_version": FaultKind(
        answer=Answer(change=lambda good: {**good, "modelVersion": "gemini-silent-successor-001"}),
        description="a good picture, made by another model than requested",
        billed=True,
        reports_usage=True,
    ),
    "retired_model": FaultKind(
        answer=error(404, "NOT_FOUND", "This model is not found or no longer available."),
        description="404: the model is gone",
    ),
    "bad_key": FaultKind(
        answer=error(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            reason="API_KEY_INVALID",
        ),
        description="400: the key is wrong or revoked",
    ),  # fmt: skip
    "web_page": FaultKind(
        answer=Answer(body=WEB_PAGE, headers={"Content-Type": "text/html"}),
        description="200 with a web page from a proxy, a sign-in page or a wrong URL",
    ),
}

# Possible for any request; the other faults concern pictures.
ANYWHERE: Final = frozenset(name for name, kind in FAULTS.items() if kind.answer.change is None) | {
    "malformed_json",
    "empty_object",
    "empty_body",
}
# Stops a whole provider or model until a person acts, or until the next day.
STOPPING: Final = frozenset(
    {
        "daily_quota",
        "zero_quota",
        "region",
        "api_disabled",
        "spend_cap",
        "credit_used_up",
        "retired_model",
        "bad_key",
        "web_page",
    }
)
# `drip` ends only when the client gives up.
PASSING: Final = frozenset(FAULTS) - STOPPING - {"drip"}

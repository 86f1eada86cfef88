"""Gemini's generateContent as JSON: the body that goes out and the answer that comes back."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pydantic_core

from nb_catalog.core.types import Reference
from nb_catalog.exceptions import (
    ContentRefused,
    NoPicture,
    OutcomeUnknown,
    PageInstead,
    ProviderError,
    RequestRejected,
)
from nb_catalog.providers.gemini.errors import from_response, is_page, parse_error_body
from nb_catalog.providers.gemini.json_access import mapping, mappings, text
from nb_catalog.providers.model_specs import ModelSpec
from nb_catalog.providers.types import ImageRequest, ImageResult

MIME_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})
MOST_INLINE_BYTES: Final = 100_000_000
# Vertex AI, for each picture.
MOST_ON_VERTEX: Final = 7_000_000

_REFUSALS: Final = frozenset(
    {
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "SAFETY",
        "PROHIBITED_CONTENT",
        "BLOCKLIST",
        "SPII",
        "RECITATION",
    }
)

_COUNTS: Final = {
    "prompt": "promptTokenCount",
    "candidates": "candidatesTokenCount",
    "thoughts": "thoughtsTokenCount",
    "total": "totalTokenCount",
}

# Python's binascii takes 4 ms for a picture of 1.4 MB, this decoder 0.7 ms; it comes with the SDK.
_BASE64: Final = pydantic_core.SchemaValidator(
    pydantic_core.core_schema.bytes_schema(), {"val_json_bytes": "base64"}
)


def body_for(
    request: ImageRequest,
    *,
    model_spec: ModelSpec,
    safety: Sequence[Mapping[str, str]] = (),
    most_bytes: int | None = None,
) -> dict[str, Any]:
    """The JSON body. Never temperature, top_p, top_k or seed: newer models refuse them.

    Raises ``RequestRejected`` for a reference that Gemini cannot read, for one of more than
    ``most_bytes``, and for more than 100 MB in all.
    """
    body: dict[str, Any] = {
        "contents": [
            {"role": "user", "parts": [{"text": request.prompt}, *_pictures(request, most_bytes)]}
        ],
        "generationConfig": _generation(request, model_spec),
        # Paid projects keep requests and pictures for 55 days unless each one says no.
        "store": False,
    }
    if request.system:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    if safety:
        body["safetySettings"] = [dict(each) for each in safety]
    return body


def _pictures(request: ImageRequest, most_bytes: int | None) -> list[dict[str, Any]]:
    pictures = [inline(reference, most_bytes) for reference in request.references]
    total = sum(len(picture["inlineData"]["data"]) for picture in pictures)
    if total > MOST_INLINE_BYTES:
        raise RequestRejected(
            f"The reference pictures come to {total / 1e6:.0f} MB in the request, Gemini takes"
            f" {MOST_INLINE_BYTES / 1e6:.0f}."
        )
    return pictures


def inline(reference: Reference, most_bytes: int | None = None) -> dict[str, Any]:
    """A picture as a part of a request. Raises ``RequestRejected`` for one that Gemini cannot read, and for
    one of more than ``most_bytes``."""
    if reference.mime_type not in MIME_TYPES:
        raise RequestRejected(
            f"Gemini does not read {reference.mime_type!r}. Possible: {', '.join(sorted(MIME_TYPES))}."
        )
    if most_bytes is not None and len(reference.data) > most_bytes:
        raise RequestRejected(
            f"A reference picture has {len(reference.data) / 1e6:.1f} MB, Vertex AI takes"
            f" {most_bytes / 1e6:.0f}. Scale it down."
        )
    data = b64encode(reference.data).decode("ascii")
    return {"inlineData": {"data": data, "mime_type": reference.mime_type}}


def _generation(request: ImageRequest, model_spec: ModelSpec) -> dict[str, Any]:
    options = {"aspectRatio": request.ratio}
    if model_spec.sends_image_size:
        options["imageSize"] = request.size
    config: dict[str, Any] = {"responseModalities": ["IMAGE"]}
    if model_spec.image_options == "responseFormat":
        config["responseFormat"] = {"image": options}
    else:
        config["imageConfig"] = options
    if request.thinking:
        config["thinkingConfig"] = {"thinking_level": request.thinking.upper()}
    return config


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What every answer may carry, with or without a picture."""

    usage: dict[str, int] = field(default_factory=dict)
    model_version: str = ""
    request_id: str = ""


def result_in(body: str | bytes) -> ImageResult:
    """The last picture of the answer that is no interim one, its bytes as they came.

    Raises ``OutcomeUnknown`` for what cannot be read, ``ContentRefused`` for what Google's
    policy stopped, ``NoPicture`` for any other answer without a picture.
    """
    try:
        answer = pydantic_core.from_json(body)
    except ValueError as error:
        if is_page(body):
            raise PageInstead(
                "A web page came where Gemini's answer belongs: something stands between this"
                " machine and Google, or base_url is wrong. The picture may be billed.",
                reason="page",
            ) from None
        raise OutcomeUnknown(
            "Gemini's answer cannot be read; it may be billed.", reason="unreadable"
        ) from error
    return result_of(answer if isinstance(answer, Mapping) else {})


def result_of(answer: Mapping[str, Any]) -> ImageResult:
    """``result_in`` for an answer whose JSON has been read."""
    receipt = receipt_in(answer)
    blob = next(_finished_pictures(answer), None)
    if blob is None:
        raise _without_picture(answer, receipt)
    try:
        data = _BASE64.validate_python(blob["data"])
    except pydantic_core.ValidationError:
        # No `from`: that error quotes the picture.
        raise _as(
            OutcomeUnknown, "The picture in Gemini's answer is damaged.", "base64", receipt
        ) from None
    return ImageResult(
        data=data,
        mime_type=text(blob, "mimeType", "mime_type"),
        usage=receipt.usage,
        model_version=receipt.model_version,
        request_id=receipt.request_id,
    )


def _finished_pictures(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Inline pictures, the last one first, without those that belong to the model's thinking."""
    for candidate in mappings(answer, "candidates"):
        for part in reversed(mappings(mapping(candidate, "content"), "parts")):
            blob = mapping(part, "inlineData") or mapping(part, "inline_data")
            mime_type = text(blob, "mimeType", "mime_type")
            if part.get("thought") or not text(blob, "data"):
                continue
            if not mime_type or mime_type.startswith("image/"):
                yield blob


def _without_picture(answer: Mapping[str, Any], receipt: Receipt) -> ProviderError:
    if isinstance(answer.get("error"), Mapping):
        code = answer["error"].get("code")
        return from_response(parse_error_body(code if isinstance(code, int) else 500, answer))
    feedback = mapping(answer, "promptFeedback")
    if blocked := text(feedback, "blockReason"):
        more = _short(feedback, "blockReasonMessage")
        return _as(
            ContentRefused, f"Gemini refused the request: {blocked}.{more}", blocked, receipt
        )
    candidate = next(iter(mappings(answer, "candidates")), {})
    reason = text(candidate, "finishReason")
    more = _short(candidate, "finishMessage")
    if reason in _REFUSALS:
        return _as(ContentRefused, f"Gemini refused the picture: {reason}.{more}", reason, receipt)
    if not reason:
        return _as(
            NoPicture, "Gemini's answer has no picture and gives no reason.", "EMPTY", receipt
        )
    return _as(NoPicture, f"Gemini made no picture: {reason}.{more}", reason, receipt)


def _as(kind: type[ProviderError], message: str, reason: str, receipt: Receipt) -> ProviderError:
    return kind(
        message,
        reason=reason[:64],
        usage=receipt.usage,
        model_version=receipt.model_version,
        request_id=receipt.request_id,
    )


def receipt_in(answer: Mapping[str, Any]) -> Receipt:
    """The token counts of an answer, and who gave it."""
    counts = mapping(answer, "usageMetadata")
    usage = {kind: counts[name] for kind, name in _COUNTS.items() if _is_count(counts.get(name))}
    details = mappings(counts, "candidatesTokensDetails")
    image = [detail.get("tokenCount") for detail in details if detail.get("modality") == "IMAGE"]
    if details and all(_is_count(count) for count in image):
        usage["image"] = sum(count for count in image if count is not None)
    return Receipt(
        usage=usage,
        model_version=text(answer, "modelVersion")[:128],
        request_id=text(answer, "responseId")[:128],
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _short(value: Mapping[str, Any], name: str) -> str:
    words = " ".join(text(value, name).split())[:300]
    return f" {words}" if words else ""

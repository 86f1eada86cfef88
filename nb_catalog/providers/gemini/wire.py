"""Gemini's generateContent as JSON: builds the request body and parses the response."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from nb_catalog.core.types import Reference
from nb_catalog.exceptions import (
    ContentRefused,
    NoPicture,
    OutcomeUnknown,
    PageInstead,
    ProviderError,
    RequestRejected,
)
from nb_catalog.providers.model_specs import ModelSpec
from nb_catalog.providers.responses import (
    is_count,
    is_web_page,
    mapping,
    mappings,
    picture_bytes,
    read_json,
    text,
)
from nb_catalog.providers.types import ImageRequest, ImageResult

MIME_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})
MOST_INLINE_BYTES: Final = 100_000_000
# Per picture, on Vertex AI.
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

# Reasons of which nothing is to be said beside a picture.
_USUAL: Final = frozenset({"", "STOP", "FINISH_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED"})
# Not pictures; any other type is the type of bytes that may be one.
_OTHER_MEDIA: Final = ("text/", "audio/", "video/", "application/json", "application/pdf")

# Turns a response that contains an "error" into ours.
ConvertError: TypeAlias = Callable[[Mapping[str, Any]], ProviderError]


def build_body(
    request: ImageRequest,
    *,
    model_spec: ModelSpec,
    safety: Sequence[Mapping[str, str]] = (),
    most_bytes: int | None = None,
) -> dict[str, Any]:
    """Return the JSON body, without temperature, top_p, top_k or seed: newer models refuse them.

    Raises ``RequestRejected`` for a reference that Gemini cannot read, for one of more than
    ``most_bytes``, and for more than 100 MB in total.
    """
    pictures = [inline(reference, most_bytes) for reference in request.references]
    total = sum(len(picture["inlineData"]["data"]) for picture in pictures)
    if total > MOST_INLINE_BYTES:
        raise RequestRejected(
            f"The reference pictures come to {total / 1e6:.0f} MB in the request, Gemini takes"
            f" {MOST_INLINE_BYTES / 1e6:.0f}."
        )
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
    body: dict[str, Any] = {
        "contents": [{"role": "user", "parts": [{"text": request.prompt}, *pictures]}],
        "generationConfig": config,
        # Google keeps requests and pictures of paid projects for 55 days unless each one opts out.
        "store": False,
    }
    if request.system:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    if safety:
        body["safetySettings"] = [dict(each) for each in safety]
    return body


def inline(reference: Reference, most_bytes: int | None = None) -> dict[str, Any]:
    """Return a picture as a part of a request. Raises ``RequestRejected`` for one that Gemini cannot
    read, and for one of more than ``most_bytes``."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Token counts, model version and request id of a response, with or without a picture."""

    usage: dict[str, int] = field(default_factory=dict)
    model_version: str = ""
    request_id: str = ""


def read_response(body: str | bytes) -> Mapping[str, Any]:
    """Return the object that ``body`` contains; empty for other JSON.

    Raises ``OutcomeUnknown`` for an unreadable response, ``PageInstead`` for a web page.
    """
    try:
        response = read_json(body)
    except ValueError as error:
        if is_web_page(body):
            raise PageInstead(
                "A web page was returned in place of Gemini's response: something between this machine and "
                "Google intercepts requests, or base_url is wrong. The picture may be billed.",
                reason="page",
            ) from None
        raise OutcomeUnknown(
            "Gemini's response cannot be read; it may be billed.", reason="unreadable"
        ) from error
    return response if isinstance(response, Mapping) else {}


def parse_response(response: Mapping[str, Any], *, convert_error: ConvertError) -> ImageResult:
    """Return the response's picture, byte for byte: the last one that is not an interim one. If
    there are only interim ones, the last of them, marked as such in the report.

    Raises ``ContentRefused`` for what Google's policy blocked, ``NoPicture`` for any other response without
    a picture.

    A picture is kept whatever the response says beside it, because it is paid for: as blocked, cut off or
    interim, and a person decides. ``report`` says so: ``interim`` and ``finish_reason``.
    """
    receipt = parse_receipt(response)
    # The last picture first, and interim ones after all others.
    parts = [
        (candidate, part)
        for candidate in mappings(response, "candidates")
        for part in reversed(mappings(mapping(candidate, "content"), "parts"))
    ]
    pictures = []
    for is_interim in (False, True):
        for candidate, part in parts:
            blob = mapping(part, "inlineData") or mapping(part, "inline_data")
            mime_type = text(blob, "mimeType", "mime_type").strip().lower()
            is_other = mime_type.startswith(_OTHER_MEDIA)
            if bool(part.get("thought")) == is_interim and text(blob, "data") and not is_other:
                pictures.append(_Picture(candidate, blob, is_interim))
    decoded = ((each, picture_bytes(text(each.blob, "data"))) for each in pictures)
    picture, data = next(((each, data) for each, data in decoded if data), (None, b""))
    if picture is None or not data:
        if pictures:
            message = "The picture in Gemini's response is damaged: its base64 cannot be decoded."
            raise _error(NoPicture, message, "base64", receipt)
        raise _missing_picture_error(response, receipt, convert_error=convert_error)
    blocked = text(mapping(response, "promptFeedback"), "blockReason")
    reasons = (blocked, text(picture.candidate, "finishReason"))
    unusual = next((each for each in reasons if each not in _USUAL), "")
    return ImageResult(
        data=data,
        mime_type=text(picture.blob, "mimeType", "mime_type"),
        usage=receipt.usage,
        model_version=receipt.model_version,
        request_id=receipt.request_id,
        report={
            **({"interim": True} if picture.is_interim else {}),
            **({"finish_reason": unusual} if unusual else {}),
        },
    )


class _Picture(NamedTuple):
    """An inline picture; ``is_interim`` if it is part of the model's thinking."""

    candidate: Mapping[str, Any]
    blob: Mapping[str, Any]
    is_interim: bool


def _missing_picture_error(
    response: Mapping[str, Any], receipt: Receipt, *, convert_error: ConvertError
) -> ProviderError:
    if isinstance(response.get("error"), Mapping):
        return convert_error(response)
    feedback = mapping(response, "promptFeedback")
    if blocked := text(feedback, "blockReason"):
        detail = text(feedback, "blockReasonMessage")
        message = f"Gemini refused the request: {blocked}. {detail}".rstrip()
        return _error(ContentRefused, message, blocked, receipt)
    candidate = next(iter(mappings(response, "candidates")), {})
    reason = text(candidate, "finishReason")
    detail = text(candidate, "finishMessage")
    if reason in _REFUSALS:
        message = f"Gemini refused the picture: {reason}. {detail}".rstrip()
        return _error(ContentRefused, message, reason, receipt)
    if not reason:
        message = "Gemini's response has no picture and gives no reason."
        return _error(NoPicture, message, "EMPTY", receipt)
    return _error(
        NoPicture, f"Gemini made no picture: {reason}. {detail}".rstrip(), reason, receipt
    )


def _error(kind: type[ProviderError], message: str, reason: str, receipt: Receipt) -> ProviderError:
    return kind(
        message,
        reason=reason,
        usage=receipt.usage,
        model_version=receipt.model_version,
        request_id=receipt.request_id,
    )


def parse_receipt(response: Mapping[str, Any]) -> Receipt:
    """Return a response's token counts, model version and request id."""
    counts = mapping(response, "usageMetadata")
    usage = {kind: counts[name] for kind, name in _COUNTS.items() if is_count(counts.get(name))}
    details = mappings(counts, "candidatesTokensDetails")
    image = [detail.get("tokenCount") for detail in details if detail.get("modality") == "IMAGE"]
    if details and all(is_count(count) for count in image):
        usage["image"] = sum(count for count in image if count is not None)
    return Receipt(
        usage=usage,
        model_version=text(response, "modelVersion"),
        request_id=text(response, "responseId"),
    )

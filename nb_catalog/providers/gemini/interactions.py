"""Gemini's Interactions API as JSON, for edits that go on from a session that Google stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nb_catalog.core.types import PARENT
from nb_catalog.exceptions import NoPicture
from nb_catalog.providers.gemini import wire
from nb_catalog.providers.model_specs import ModelSpec
from nb_catalog.providers.responses import is_count, mapping, mappings, picture_bytes, text
from nb_catalog.providers.types import SESSION_CHECK, ImageRequest, ImageResult, Payload

PATH: Final = "interactions"
_COUNTS: Final = {
    "prompt": "total_input_tokens",
    "candidates": "total_output_tokens",
    "thoughts": "total_thought_tokens",
    "total": "total_tokens",
}


def is_interaction(value: Mapping[str, Any]) -> bool:
    """Whether ``value`` is a request or a response of this API, and not one of generateContent."""
    return "input" in value or "steps" in value


def build_payload(
    request: ImageRequest, *, model_spec: ModelSpec, most_bytes: int | None
) -> Payload:
    """Return the request of an edit in a session: one that goes on from ``previous``, without the picture
    that is edited, because the service has made it; or the first one, with everything.

    The fallback of the former is the latter. Raises ``RequestRejected`` as ``wire.build_body`` does.
    """
    session = mapping(request.edit, "session")
    # The same limits as for every other request, by the same code.
    whole = wire.build_body(request, model_spec=model_spec, most_bytes=most_bytes)
    parts = whole["contents"][0]["parts"][1:]
    pictures = [
        (reference.role, {"type": "image", **part["inlineData"]})
        for reference, part in zip(request.references, parts, strict=True)
    ]
    form = {"type": "image", "aspect_ratio": request.ratio}
    if model_spec.sends_image_size:
        form["image_size"] = request.size
    common: dict[str, Any] = {"model": request.model, "response_format": form, "store": True}
    if request.system:
        common["system_instruction"] = request.system
    if request.thinking:
        common["generation_config"] = {"thinking_level": request.thinking.lower()}
    first = {
        **common,
        "input": [_text(request.prompt), *(picture for _role, picture in pictures)],
    }
    previous = text(session, "previous")
    if not previous:
        return Payload(model=request.model, body=first)
    further = [picture for role, picture in pictures if role != PARENT]
    return Payload(
        model=request.model,
        body={
            **common,
            "input": [_text(text(session, "prompt")), *further],
            "previous_interaction_id": previous,
        },
        fallback=first,
    )


def parse_interaction(response: Mapping[str, Any]) -> ImageResult:
    """Return the last picture of an interaction; its id is the request id. Raises ``NoPicture``."""
    counts = mapping(response, "usage")
    receipt: dict[str, Any] = {
        "usage": {
            kind: counts[name] for kind, name in _COUNTS.items() if is_count(counts.get(name))
        },
        "model_version": text(response, "model"),
        "request_id": text(response, "id"),
    }
    status = text(response, "status")
    outputs = [
        content
        for step in mappings(response, "steps")
        if text(step, "type") == "model_output"
        for content in mappings(step, "content")
        if text(content, "type") == "image" and text(content, "data")
    ]
    if not outputs:
        raise NoPicture(
            f"Gemini's interaction has no picture (status {status or 'unknown'}).",
            reason=(status or "EMPTY").upper(),
            **receipt,
        )
    data = picture_bytes(text(outputs[-1], "data"))
    if not data:
        message = "The picture in Gemini's response is damaged: its base64 cannot be decoded."
        raise NoPicture(message, reason="base64", **receipt)
    return ImageResult(
        data=data,
        mime_type=text(outputs[-1], "mime_type"),
        **receipt,
        report={
            **({SESSION_CHECK: {"id": receipt["request_id"]}} if receipt["request_id"] else {}),
            **({"finish_reason": status.upper()} if status not in ("", "completed") else {}),
        },
    )


def _text(prompt: str) -> dict[str, str]:
    return {"type": "text", "text": prompt}

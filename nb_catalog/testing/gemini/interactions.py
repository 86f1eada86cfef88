"""The Interactions side of the local Gemini, as far as pictures go."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from nb_catalog.testing.gemini.drawing import Wanted


def wanted_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """An interaction's body as the generateContent body that asks for the same."""
    form = asked.get("response_format") or {}
    options = {"aspectRatio": form.get("aspect_ratio"), "imageSize": form.get("image_size")}
    config: dict[str, Any] = {
        "imageConfig": {name: value for name, value in options.items() if value}
    }
    given = asked.get("generation_config") or {}
    if level := given.get("thinking_level"):
        config["thinkingConfig"] = {"thinkingLevel": level}
    body: dict[str, Any] = {
        "contents": [{"role": "user", "parts": list(_parts(asked.get("input")))}],
        "generationConfig": config,
    }
    if asked.get("system_instruction"):
        body["systemInstruction"] = {"parts": [{"text": asked["system_instruction"]}]}
    return body


def _parts(given: Any) -> Iterator[dict[str, Any]]:
    if isinstance(given, str):
        yield {"text": given}
    for each in given if isinstance(given, list) else ():
        if "content" in each:
            yield from _parts(each["content"])
        elif each.get("type") == "text":
            yield {"text": each.get("text", "")}
        elif each.get("type") == "image":
            yield {"inlineData": {"mimeType": each.get("mime_type"), "data": each.get("data", "")}}


def interaction_json(name: str, wanted: Wanted, *, picture: bytes) -> dict[str, Any]:
    """A completed interaction whose last step holds the picture."""
    usage = wanted.usage()
    image = {
        "type": "image",
        "mime_type": "image/png",
        "data": base64.b64encode(picture).decode("ascii"),
    }
    return {
        "id": name,
        "status": "completed",
        "model": wanted.model,
        "created": "2026-11-21T09:00:00Z",
        "updated": "2026-11-21T09:00:05Z",
        "steps": [{"type": "model_output", "content": [image]}],
        "usage": {
            "total_input_tokens": usage["promptTokenCount"],
            "total_output_tokens": usage["candidatesTokenCount"],
            "total_thought_tokens": usage["thoughtsTokenCount"],
            "total_tokens": usage["totalTokenCount"],
        },
    }

"""The Interactions side of the local Gemini, as far as pictures go."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from nb_catalog.testing.gemini import shapes
from nb_catalog.testing.gemini.drawing import Wanted


def objections(asked: Any) -> list[str]:
    """What is wrong with the body of an interaction before it is read as a request."""
    body, said = shapes.read(asked, shapes.INTERACTION)
    if not said and not isinstance(body.get("input"), str | list):
        said.append("Invalid value at 'input': expected a text or a list.")
    if not said and body.get("store") is False:
        said += [
            f"{name} needs store=true."
            for name in ("background", "previous_interaction_id")
            if body.get(name)
        ]
    return said


def wanted_of(asked: Any) -> dict[str, Any]:
    """An interaction's body as the generateContent body that asks for the same."""
    given, _misfits = shapes.read(asked, shapes.INTERACTION)
    form = given.get("response_format", {})
    options = {"aspectRatio": form.get("aspect_ratio"), "imageSize": form.get("image_size")}
    config: dict[str, Any] = {"imageConfig": options}
    if level := given.get("generation_config", {}).get("thinking_level"):
        config["thinkingConfig"] = {"thinkingLevel": level}
    body: dict[str, Any] = {
        "contents": [{"role": "user", "parts": list(_parts(given.get("input")))}],
        "generationConfig": config,
        "store": given.get("store"),
    }
    if system := given.get("system_instruction"):
        body["systemInstruction"] = {"parts": [{"text": system}]}
    return body


def _parts(given: Any) -> Iterator[dict[str, Any]]:
    if isinstance(given, str):
        yield {"text": given}
    for each in given if isinstance(given, list) else ():
        if not isinstance(each, dict):
            yield {"input": each}  # which no part has: it is refused by name
        elif "content" in each:
            yield from _parts(each["content"])
        elif each.get("type") == "text":
            yield {"text": each.get("text", "")}
        elif each.get("type") == "image":
            yield {"inlineData": {"mimeType": each.get("mime_type"), "data": each.get("data", "")}}
        else:
            yield {"type": each.get("type")}


def interaction_json(
    name: str, wanted: Wanted, *, picture: bytes, mime_type: str
) -> dict[str, Any]:
    """A completed interaction whose last step holds the picture."""
    usage = wanted.usage()
    image = {
        "type": "image",
        "mime_type": mime_type,
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

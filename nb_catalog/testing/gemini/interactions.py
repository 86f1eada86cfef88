"""The Interactions API of the local Gemini, limited to pictures."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nb_catalog.testing.gemini import shapes

# Google's time for paid projects, November 2026.
KEPT_HOURS: Final = 55 * 24


def objections(value: Any) -> list[str]:
    """Return what is wrong with the body of an interaction, before it is read as a picture request."""
    body, misfits = shapes.read(value, shapes.INTERACTION)
    if not misfits and not isinstance(body.get("input"), str | list):
        misfits.append("Invalid value at 'input': expected a text or a list.")
    if not misfits and body.get("store") is False:
        misfits += [
            f"{name} needs store=true."
            for name in ("background", "previous_interaction_id")
            if body.get(name)
        ]
    return misfits


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInteraction:
    """What the service keeps of an interaction: its ``content``, of which ``key`` and when, and the tokens
    that the whole conversation has."""

    content: Mapping[str, Any]
    key: str
    at: float
    tokens: int


class Interactions:
    """Stored interactions, each for ``KEPT_HOURS``, and for the key that created it."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stored: dict[str, StoredInteraction] = {}

    def add(self, content: Mapping[str, Any], *, key: str, tokens: int) -> None:
        self._stored[content["id"]] = StoredInteraction(
            content=content, key=key, at=self._clock(), tokens=tokens
        )

    def find(self, name: str, *, key: str) -> StoredInteraction | None:
        """Return the interaction ``name`` of ``key``; None if it was never stored or is no longer."""
        stored = self._stored.get(name)
        if stored is None or stored.key != key:
            return None
        return stored if self._clock() - stored.at < KEPT_HOURS * 3600 else None


def to_generate_content(value: Any) -> dict[str, Any]:
    """Return the generateContent body that requests the same as an interaction's body."""
    interaction, _misfits = shapes.read(value, shapes.INTERACTION)
    form = interaction.get("response_format", {})
    form = form | interaction.get("generation_config", {}).get("image_config", {})
    options = {"aspectRatio": form.get("aspect_ratio"), "imageSize": form.get("image_size")}
    config: dict[str, Any] = {"imageConfig": options}
    if level := interaction.get("generation_config", {}).get("thinking_level"):
        config["thinkingConfig"] = {"thinkingLevel": level}
    body: dict[str, Any] = {
        "contents": [{"role": "user", "parts": list(_parts(interaction.get("input")))}],
        "generationConfig": config,
        "store": interaction.get("store"),
    }
    if system := interaction.get("system_instruction"):
        body["systemInstruction"] = {"parts": [{"text": system}]}
    return body


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, str):
        yield {"text": value}
    for each in value if isinstance(value, list) else ():
        if not isinstance(each, dict):
            yield {"input": each}  # no part has this field: it is refused by name
        elif "content" in each:
            yield from _parts(each["content"])
        elif each.get("type") == "text":
            yield {"text": each.get("text", "")}
        elif each.get("type") == "image":
            yield {"inlineData": {"mimeType": each.get("mime_type"), "data": each.get("data", "")}}
        else:
            yield {"type": each.get("type")}


def interaction_json(
    name: str, usage: Mapping[str, int], *, model: str, picture: bytes, mime_type: str
) -> dict[str, Any]:
    """Return a completed interaction; its last step contains the picture."""
    image = {
        "type": "image",
        "mime_type": mime_type,
        "data": base64.b64encode(picture).decode("ascii"),
    }
    return {
        "id": name,
        "status": "completed",
        "model": model,
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

"""The schemas of request bodies, and the messages about bodies that do not match."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

# A type, a list of one shape, or a message: names and the shapes of their values.
Shape: TypeAlias = Any

_BLOB: Final = {"mimeType": str, "data": str}
_PART: Final = {
    "text": str,
    "inlineData": _BLOB,
    "fileData": {"mimeType": str, "fileUri": str},
    "thought": bool,
    "thoughtSignature": str,
}
_CONTENT: Final = {"role": str, "parts": [_PART]}
_IMAGE: Final = {"aspectRatio": str, "imageSize": str}

GENERATE: Final[Shape] = {
    "contents": [_CONTENT],
    "systemInstruction": _CONTENT,
    "generationConfig": {
        "responseModalities": [str],
        "imageConfig": _IMAGE,
        "responseFormat": {"image": _IMAGE},
        # For text models: an image model accepts them and returns a picture nevertheless.
        "responseMimeType": str,
        "responseSchema": {"type": str, "properties": dict, "required": [str]},
        "thinkingConfig": {"thinkingLevel": str, "includeThoughts": bool},
        # Known, but refused: image models take no sampling parameters.
        "temperature": float,
        "topP": float,
        "topK": float,
        "seed": float,
    },
    "safetySettings": [{"category": str, "threshold": str}],
    "store": bool,
}
BATCH: Final[Shape] = {
    "batch": {
        "displayName": str,
        "inputConfig": {
            "fileName": str,
            "requests": {"requests": [{"request": dict, "metadata": {"key": str}}]},
        },
    }
}
UPLOAD: Final[Shape] = {
    "file": {"name": str, "displayName": str, "mimeType": str, "sizeBytes": object}
}
# `input` is read by its own types.
INTERACTION: Final[Shape] = {
    "model": str,
    "input": object,
    "response_format": {
        "type": str,
        "aspect_ratio": str,
        "image_size": str,
        "mime_type": str,
    },
    "response_modalities": [str],
    "generation_config": {"thinking_level": str, "image_config": dict},
    "system_instruction": str,
    "store": bool,
    "background": bool,
    "stream": bool,
    "previous_interaction_id": str,
}
_EXPECTED: Final = {str: "a text", bool: "true or false", float: "a number", dict: "an object"}


def read(value: Any, shape: Shape) -> tuple[Any, list[str]]:
    """Return ``value`` in Google's spelling of every name, without what does not match ``shape``, and
    a sentence about each mismatch.

    Like Google's JSON parser, this accepts names in camel and in snake case, null for an absent
    value, and one message in place of a list of messages.
    """
    misfits: list[str] = []
    result = _match(value, shape, path="", misfits=misfits)
    return ({} if result is None else result), misfits


def _match(value: Any, shape: Shape, *, path: str, misfits: list[str]) -> Any:
    if value is None or shape is object:
        return value
    if isinstance(shape, list):
        items = value if isinstance(value, list) else [value]
        matches = [
            _match(each, shape[0], path=f"{path}[{index}]", misfits=misfits)
            for index, each in enumerate(items)
        ]
        return [each for each in matches if each is not None]
    if isinstance(shape, Mapping):
        if isinstance(value, dict):
            return dict(_match_fields(value, shape, path=path, misfits=misfits))
        misfits.append(_misfit(path, "an object"))
        return None
    kind = (int, float) if shape is float else shape
    if isinstance(value, kind) and not (shape is float and isinstance(value, bool)):
        return value
    misfits.append(_misfit(path, _EXPECTED[shape]))
    return None


def _match_fields(
    value: Mapping[str, Any], shape: Mapping[str, Shape], *, path: str, misfits: list[str]
) -> Iterator[tuple[str, Any]]:
    names = {snake(name): name for name in shape}
    for key, content in value.items():
        name = key if key in shape else names.get(key)
        if name is None:
            place = f" at '{path}'" if path else ""
            misfits.append(f"Unknown name {key[:80]!r}{place}: Cannot find field.")
            continue
        inner = f"{path}.{snake(name)}" if path else snake(name)
        match = _match(content, shape[name], path=inner, misfits=misfits)
        if match is not None:
            yield name, match


def _misfit(path: str, expected: str) -> str:
    if not path:
        return "Root element must be a message."
    return f"Invalid value at '{path}': expected {expected}."


@cache
def snake(name: str) -> str:
    """Return ``image_config`` for ``imageConfig``."""
    return re.sub("[A-Z]", lambda sign: f"_{sign[0].lower()}", name)

"""The shape of the bodies that the service reads, and what it says of any other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

# A kind of value, a list of one shape, or a message: names and the shapes of their values.
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
        # Of text models: an image model knows them and answers with a picture all the same.
        "responseMimeType": str,
        "responseSchema": {"type": str, "properties": dict, "required": [str]},
        "thinkingConfig": {"thinkingLevel": str, "includeThoughts": bool},
        # Known, and refused all the same: image models take no sampling.
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
# What `input` holds is read by its own types.
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
_WANTS: Final = {str: "a text", bool: "true or false", float: "a number", dict: "an object"}


def read(value: Any, shape: Shape) -> tuple[Any, list[str]]:
    """``value`` with Google's own spelling of every name and without what does not fit, and a
    sentence for each thing that does not.

    Names may be in camel or in snake case, null is as good as nothing, and one message may stand
    where a list of them belongs: so Google's JSON reader has it.
    """
    misfits: list[str] = []
    fitting = _fitted(value, shape, path="", misfits=misfits)
    return ({} if fitting is None else fitting), misfits


def _fitted(value: Any, shape: Shape, *, path: str, misfits: list[str]) -> Any:
    if value is None or shape is object:
        return value
    if isinstance(shape, list):
        items = value if isinstance(value, list) else [value]
        fitted = [
            _fitted(each, shape[0], path=f"{path}[{place}]", misfits=misfits)
            for place, each in enumerate(items)
        ]
        return [each for each in fitted if each is not None]
    if isinstance(shape, Mapping):
        if isinstance(value, dict):
            return dict(_fields(value, shape, path=path, misfits=misfits))
        misfits.append(_misfit(path, "an object"))
        return None
    if _is(value, shape):
        return value
    misfits.append(_misfit(path, _WANTS[shape]))
    return None


def _fields(
    value: Mapping[str, Any], shape: Mapping[str, Shape], *, path: str, misfits: list[str]
) -> Iterator[tuple[str, Any]]:
    names = {snake(name): name for name in shape}
    for given, content in value.items():
        name = given if given in shape else names.get(given)
        if name is None:
            place = f" at '{path}'" if path else ""
            misfits.append(f"Unknown name {given[:80]!r}{place}: Cannot find field.")
            continue
        inner = f"{path}.{snake(name)}" if path else snake(name)
        fitted = _fitted(content, shape[name], path=inner, misfits=misfits)
        if fitted is not None:
            yield name, fitted


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)


def _misfit(path: str, wants: str) -> str:
    if not path:
        return "Root element must be a message."
    return f"Invalid value at '{path}': expected {wants}."


@cache
def snake(name: str) -> str:
    """``imageConfig`` as ``image_config``."""
    return re.sub("[A-Z]", lambda sign: f"_{sign[0].lower()}", name)

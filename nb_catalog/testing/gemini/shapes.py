"""The schemas of request bodies, and the messages about bodies that do not match."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeAlias

# A type, a list of one shape, or a message: names and the shapes of their values.
Shape: TypeAlias = Any


class ENUM:
    """The type of a name, which JSON of protocol buffers also takes as a number."""


_BLOB: Final = {"mimeType": str, "data": str, "displayName": str}
_PART: Final = {
    "text": str,
    "inlineData": _BLOB,
    "fileData": {"mimeType": str, "fileUri": str, "displayName": str},
    "thought": bool,
    "thoughtSignature": str,
    "mediaResolution": object,
    "mediaProcessing": object,
    "videoMetadata": dict,
    "functionCall": dict,
    "functionResponse": dict,
    "executableCode": dict,
    "codeExecutionResult": dict,
    "toolCall": dict,
    "toolResponse": dict,
    "partMetadata": dict,
    "audioTranscription": dict,
    "speechMetadata": dict,
    "documentMetadata": dict,
    "spreadsheetMetadata": dict,
    "audioMetadata": dict,
}
_CONTENT: Final = {"role": str, "parts": [_PART]}
_IMAGE: Final = {
    "aspectRatio": str,
    "imageSize": str,
    "mimeType": str,
    "delivery": ENUM,
    # On Vertex AI.
    "personGeneration": ENUM,
    "prominentPeople": ENUM,
    "outputMimeType": str,
    "outputCompressionQuality": int,
    "imageOutputOptions": dict,
}

# Every field that google-genai 3.4 can send, and those of Google's REST pages: what Google accepts and
# ignores for a picture is accepted and ignored here too.
GENERATE: Final[Shape] = {
    "model": str,
    "contents": [_CONTENT],
    "systemInstruction": _CONTENT,
    "generationConfig": {
        "responseModalities": [ENUM],
        "imageConfig": _IMAGE,
        "responseFormat": {"image": _IMAGE, "text": dict, "audio": dict, "video": dict},
        "responseMimeType": str,
        "responseSchema": dict,
        "responseJsonSchema": object,
        "thinkingConfig": {
            "thinkingLevel": ENUM,
            "includeThoughts": bool,
            "thinkingBudget": int,
        },
        "temperature": float,
        "topP": float,
        "topK": float,
        "seed": int,
        "candidateCount": int,
        "maxOutputTokens": int,
        "stopSequences": [str],
        "presencePenalty": float,
        "frequencyPenalty": float,
        "responseLogprobs": bool,
        "logprobs": int,
        "mediaResolution": ENUM,
        "speechConfig": dict,
        "audioTimestamp": bool,
        "audioTranscriptionConfig": dict,
        "translationConfig": dict,
        "routingConfig": dict,
        "modelSelectionConfig": dict,
        "modelConfig": dict,
        "enableAffectiveDialog": bool,
        "enableEnhancedCivicAnswers": bool,
        "continuationToken": str,
    },
    "safetySettings": [{"category": ENUM, "threshold": ENUM, "method": ENUM}],
    "tools": [dict],
    "toolConfig": dict,
    "cachedContent": str,
    "labels": dict,
    "serviceTier": ENUM,
    "modelArmorConfig": dict,
    "generationOutputConfig": dict,
    "store": bool,
}
COUNT: Final[Shape] = {
    "contents": [_CONTENT],
    "generateContentRequest": GENERATE,
    # On Vertex AI.
    "model": str,
    "instances": [object],
    "systemInstruction": _CONTENT,
    "tools": [dict],
    "generationConfig": dict,
}
BATCH: Final[Shape] = {
    "batch": {
        "name": str,
        "model": str,
        "displayName": str,
        "priority": int,
        "webhookConfig": dict,
        "inputConfig": {
            "fileName": str,
            "requests": {"requests": [{"request": dict, "metadata": dict}]},
        },
    }
}
UPLOAD: Final[Shape] = {  # fmt: skip
    "file": {
        "name": str,
        "displayName": str,
        "mimeType": str,
        "sizeBytes": int,
        "uri": str,
        "source": ENUM,
        "sha256Hash": str,
        "createTime": str,
        "updateTime": str,
        "expirationTime": str,
        "state": ENUM,
        "videoMetadata": dict,
    }
}
# `input` is read by its own types.
INTERACTION: Final[Shape] = {
    "model": str,
    "input": object,
    "response_format": {
        "type": str, "aspect_ratio": str, "image_size": str, "mime_type": str, "delivery": ENUM,
        "schema": object,
    },
    "response_mime_type": str,
    "response_modalities": [ENUM],
    "generation_config": dict,
    "system_instruction": str,
    "safety_settings": [dict],
    "tools": [dict],
    "labels": dict,
    "cached_content": str,
    "service_tier": ENUM,
    "environment": object,
    "webhook_config": dict,
    "continuation_token": str,
    "agent": str,
    "agent_config": dict,
    "store": bool,
    "background": bool,
    "stream": bool,
    "previous_interaction_id": str,
}  # fmt: skip
_EXPECTED: Final = {
    str: "a text", bool: "true or false", float: "a number", int: "a whole number", dict: "an object",
    ENUM: "a name",
}  # fmt: skip


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
        if not isinstance(value, dict):
            misfits.append(_misfit(path, "an object"))
            return None
        names = {snake(name): name for name in shape}
        fields = {}
        for key, content in value.items():
            name = key if key in shape else names.get(key)
            if name is None:
                place = f" at '{path}'" if path else ""
                misfits.append(f"Unknown name {key[:80]!r}{place}: Cannot find field.")
                continue
            inner = f"{path}.{snake(name)}" if path else snake(name)
            match = _match(content, shape[name], path=inner, misfits=misfits)
            if match is not None:
                fields[name] = match
        return fields
    if _is_of(value, shape):
        return value
    misfits.append(_misfit(path, _EXPECTED[shape]))
    return None


def _is_of(value: Any, kind: type) -> bool:
    """Whether Google's JSON parser takes ``value`` for ``kind``: numbers may be written as strings."""
    if kind is ENUM:
        return isinstance(value, str | int) and not isinstance(value, bool)
    if kind is bool:
        return isinstance(value, bool) or value in ("true", "false")
    if kind in (int, float):
        try:
            number = float(value)
        except (TypeError, ValueError):
            return False
        return not isinstance(value, bool) and (kind is float or number.is_integer())
    return isinstance(value, kind)


def _misfit(path: str, expected: str) -> str:
    if not path:
        return "Root element must be a message."
    return f"Invalid value at '{path}': expected {expected}."


@cache
def snake(name: str) -> str:
    """Return ``image_config`` for ``imageConfig``."""
    return re.sub("[A-Z]", lambda sign: f"_{sign[0].lower()}", name)

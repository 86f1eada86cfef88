"""What the local Gemini refuses, as strictly as Google's documentation lets one tell."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from nb_catalog.providers.model_specs import PIXELS, ModelSpec, all_specs
from nb_catalog.testing.gemini import shapes
from nb_catalog.testing.gemini.answers import error_json
from nb_catalog.testing.gemini.drawing import Wanted

READS: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})
MOST_INLINE: Final = 100_000_000
MOST_ON_VERTEX: Final = 7_000_000
_SAMPLING: Final = ("temperature", "topP", "topK", "seed")
_CATEGORIES: Final = frozenset(
    f"HARM_CATEGORY_{name}"
    for name in (
        "HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY",
        "IMAGE_HATE", "IMAGE_DANGEROUS_CONTENT", "IMAGE_HARASSMENT", "IMAGE_SEXUALLY_EXPLICIT",
    )
)  # fmt: skip
_THRESHOLDS: Final = frozenset(
    {"BLOCK_NONE", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_LOW_AND_ABOVE", "OFF"}
)


def model_error(model: str) -> dict[str, Any] | None:
    """Google's 404 for a model that is not there, or not any more."""
    known = all_specs().get(model)
    today = datetime.now(UTC).date()
    if known is not None and known.usd_per_million and not _is_retired(known, today):
        return None
    return error_json(
        404,
        "NOT_FOUND",
        f"models/{model} is not found for API version v1, or is not supported for generateContent."
        " Call ListModels to see the list of available models and their supported methods.",
    )


def _is_retired(known: ModelSpec, today: Any) -> bool:
    return known.retired_on is not None and known.retired_on <= today


def objections(
    body: Any, *, model: str, vertex: bool = False, insists_on_store: bool = False
) -> list[str]:
    """Everything in a generateContent body that the service would refuse.

    With ``insists_on_store`` also a request that lets Google keep it.
    """
    body, said = shapes.read(body, shapes.GENERATE)
    if said:
        return [f"Invalid JSON payload received. {each}" for each in said]
    config = body.get("generationConfig", {})
    said = [f"{name} is not supported by this model." for name in _SAMPLING if name in config]
    said += _about_contents(body, vertex=vertex)
    said += _about_safety(body)
    if model in (table := all_specs()):
        said += _about_the_card(Wanted(body, model=model), table[model])
    if insists_on_store and body.get("store") is not False:
        said.append("'store' must be false.")
    return said


def _about_contents(body: Mapping[str, Any], *, vertex: bool) -> Iterator[str]:
    if not body.get("contents"):
        yield "contents is not specified"
        return
    total = 0
    for place, content in enumerate(body["contents"]):
        if not content.get("parts"):
            yield f"contents[{place}].parts must not be empty."
        for part in content.get("parts", ()):
            if not part:
                yield f"contents[{place}].parts: contents must not be empty."
            blob = part.get("inlineData")
            if blob is not None:
                total += len(blob.get("data", ""))
                yield from _about_blob(blob, vertex=vertex)
    if total > MOST_INLINE:
        yield f"Request payload size exceeds the limit: {MOST_INLINE} bytes."


def _about_blob(blob: Mapping[str, Any], *, vertex: bool) -> Iterator[str]:
    mime_type = blob.get("mimeType")
    if mime_type not in READS:
        yield f"Unsupported MIME type: {mime_type}"
    try:
        # Google reads both alphabets; the SDK writes the one for addresses.
        text = blob.get("data", "").replace("-", "+").replace("_", "/")
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        yield "Invalid value at 'inline_data.data' (TYPE_BYTES), Base64 decoding failed."
        return
    if not data:
        yield "Provided image is not valid."
    if vertex and len(data) > MOST_ON_VERTEX:
        yield f"Image exceeds the limit of {MOST_ON_VERTEX} bytes."


def _about_safety(body: Mapping[str, Any]) -> Iterator[str]:
    for each in body.get("safetySettings", ()):
        if each.get("category") not in _CATEGORIES:
            yield f"Invalid value at 'safety_settings.category': {each.get('category')!r}"
        if each.get("threshold") not in _THRESHOLDS:
            yield f"Invalid value at 'safety_settings.threshold': {each.get('threshold')!r}"


def _about_the_card(wanted: Wanted, model_spec: ModelSpec) -> Iterator[str]:
    if wanted.ratio not in model_spec.ratios:
        yield f"aspect_ratio must be one of {', '.join(model_spec.ratios)}, not {wanted.ratio!r}."
    elif wanted.size_name not in model_spec.sizes:
        yield f"image_size must be one of {', '.join(model_spec.sizes)}, not {wanted.size_name!r}."
    elif wanted.size_name not in PIXELS[wanted.ratio]:
        yield f"image_size {wanted.size_name!r} is not available in {wanted.ratio}."
    if wanted.references > model_spec.max_references:
        yield f"At most {model_spec.max_references} images are supported, got {wanted.references}."
    if wanted.thinking and wanted.thinking not in model_spec.thinking:
        yield f"Thinking level {wanted.thinking!r} is not supported for this model."

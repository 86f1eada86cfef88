"""What the local Gemini refuses, as strictly as Google's documentation describes it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from nb_catalog.providers.model_specs import PIXELS, ModelSpec, all_specs
from nb_catalog.testing.gemini import shapes
from nb_catalog.testing.gemini.answers import error_json
from nb_catalog.testing.gemini.drawing import PictureRequest
from nb_catalog.testing.gemini.requests import Call, CallResult, error_result

MIME_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})
MAX_INLINE: Final = 100_000_000
MAX_ON_VERTEX: Final = 7_000_000
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


def authentication_error(
    call: Call, *, keys: Collection[str] | None, tokens: Collection[str] | None
) -> CallResult | None:
    """Return the error for a call without a valid key (developer API) or bearer token (Vertex AI);
    None if it has one. ``keys`` and ``tokens`` None accept any."""
    headers, query = call.request.headers, call.request.query
    if call.is_vertex:
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if not token or (tokens is not None and token not in tokens):
            return error_result(
                401, "UNAUTHENTICATED", "Request had invalid authentication credentials.",
                reason="ACCESS_TOKEN_TYPE_UNSUPPORTED",
            )  # fmt: skip
        return None
    if call.operation == "files.upload" and "upload_id" in query:
        return None  # knowing the URL is the permission
    key = headers.get("x-goog-api-key", "") or query.get("key", "")
    if not key:
        return error_result(
            403,
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers. Please use API Key.",
        )
    if keys is not None and key not in keys:
        return error_result(
            400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
            reason="API_KEY_INVALID",
        )  # fmt: skip
    return None


def model_error(model: str) -> dict[str, Any] | None:
    """Return Google's 404 for an unknown or retired model; None for an available one."""
    spec = all_specs().get(model)
    if spec is not None and spec.usd_per_million:
        today = datetime.now(UTC).date()
        if spec.retired_on is None or spec.retired_on > today:
            return None
    return error_json(
        404,
        "NOT_FOUND",
        f"models/{model} is not found for API version v1, or is not supported for generateContent."
        " Call ListModels to see the list of available models and their supported methods.",
    )


def objections(
    body: Any, *, model: str, vertex: bool = False, insists_on_store: bool = False
) -> list[str]:
    """Return everything in a generateContent body that the service would refuse.

    With ``insists_on_store``, also a request that lets Google keep it.
    """
    body, misfits = shapes.read(body, shapes.GENERATE)
    if misfits:
        return [f"Invalid JSON payload received. {each}" for each in misfits]
    config = body.get("generationConfig", {})
    result = [f"{name} is not supported by this model." for name in _SAMPLING if name in config]
    result += _content_objections(body, vertex=vertex)
    for setting in body.get("safetySettings", ()):
        for name, known in (("category", _CATEGORIES), ("threshold", _THRESHOLDS)):
            if setting.get(name) not in known:
                result.append(f"Invalid value at 'safety_settings.{name}': {setting.get(name)!r}")
    if model in (table := all_specs()):
        result += _model_objections(PictureRequest(body, model=model), table[model])
    if insists_on_store and body.get("store") is not False:
        result.append("'store' must be false.")
    return result


def _content_objections(body: Mapping[str, Any], *, vertex: bool) -> Iterator[str]:
    if not body.get("contents"):
        yield "contents is not specified"
        return
    total = 0
    for index, content in enumerate(body["contents"]):
        if not content.get("parts"):
            yield f"contents[{index}].parts must not be empty."
        for part in content.get("parts", ()):
            if not part:
                yield f"contents[{index}].parts: contents must not be empty."
            blob = part.get("inlineData")
            if blob is not None:
                total += len(blob.get("data", ""))
                yield from _blob_objections(blob, vertex=vertex)
    if total > MAX_INLINE:
        yield f"Request payload size exceeds the limit: {MAX_INLINE} bytes."


def _blob_objections(blob: Mapping[str, Any], *, vertex: bool) -> Iterator[str]:
    mime_type = blob.get("mimeType")
    if mime_type not in MIME_TYPES:
        yield f"Unsupported MIME type: {mime_type}"
    try:
        # Google accepts both base64 alphabets; the SDK uses the URL-safe one.
        text = blob.get("data", "").replace("-", "+").replace("_", "/")
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        yield "Invalid value at 'inline_data.data' (TYPE_BYTES), Base64 decoding failed."
        return
    if not data:
        yield "Provided image is not valid."
    if vertex and len(data) > MAX_ON_VERTEX:
        yield f"Image exceeds the limit of {MAX_ON_VERTEX} bytes."


def _model_objections(request: PictureRequest, spec: ModelSpec) -> Iterator[str]:
    if request.ratio not in spec.ratios:
        yield f"aspect_ratio must be one of {', '.join(spec.ratios)}, not {request.ratio!r}."
    elif request.size_name not in spec.sizes:
        yield f"image_size must be one of {', '.join(spec.sizes)}, not {request.size_name!r}."
    elif request.size_name not in PIXELS[request.ratio]:
        yield f"image_size {request.size_name!r} is not available in {request.ratio}."
    if request.references > spec.max_references:
        yield f"At most {spec.max_references} images are supported, got {request.references}."
    if request.thinking and request.thinking not in spec.thinking:
        yield f"Thinking level {request.thinking!r} is not supported for this model."

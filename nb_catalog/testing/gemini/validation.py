"""What the local Gemini refuses: what Google is known to refuse, and nothing else.

Known means documented, or seen in reports with Google's own error. What is only this project's rule is
an option of the server, off by default: ``Rules``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from nb_catalog.providers.model_specs import PIXELS, ModelSpec, all_specs
from nb_catalog.testing.gemini import shapes
from nb_catalog.testing.gemini.answers import error_json
from nb_catalog.testing.gemini.drawing import PictureRequest
from nb_catalog.testing.gemini.requests import Call, CallResult, error_result

MIME_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})
# Gemini reads these too, where a model does; only of pictures is it documented which ones are refused.
OTHER_MEDIA: Final = ("application/pdf", "text/", "audio/", "video/")
MAX_INLINE: Final = 100_000_000
MAX_ON_VERTEX: Final = 7_000_000
_SAMPLING: Final = ("temperature", "topP", "topK", "seed")
_CATEGORIES: Final = frozenset(
    f"HARM_CATEGORY_{name}"
    for name in (
        "HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY", "JAILBREAK",
        "IMAGE_HATE", "IMAGE_DANGEROUS_CONTENT", "IMAGE_HARASSMENT", "IMAGE_SEXUALLY_EXPLICIT",
    )
)  # fmt: skip
_THRESHOLDS: Final = frozenset(
    {
        "BLOCK_NONE", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_LOW_AND_ABOVE", "OFF",
        "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Rules of the client's own, which Google does not have.

    ``require_store_false``: every request tells Google not to keep it. ``refuse_sampling``: no request has
    temperature, top_p, top_k or seed, which are deprecated for image models.
    """

    require_store_false: bool = False
    refuse_sampling: bool = False


NO_RULES: Final = Rules()


def authentication_error(
    call: Call, *, keys: Collection[str] | None, tokens: Collection[str] | None
) -> CallResult | None:
    """Return the error for a call without a valid key or bearer token; None if it has one. ``keys`` and
    ``tokens`` None accept any."""
    headers, query = call.request.headers, call.request.query
    if call.operation == "files.upload" and "upload_id" in query:
        return None  # knowing the URL is the permission
    key = headers.get("x-goog-api-key", "") or query.get("key", "")
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    # Both APIs take both: Vertex AI has API keys in express mode, the developer API has OAuth.
    if key and (keys is None or key in keys):
        return None
    if token and not key and (tokens is None or token in tokens):
        return None
    if key:
        return error_result(
            400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
            reason="API_KEY_INVALID",
        )  # fmt: skip
    if token or call.is_vertex:
        return error_result(
            401, "UNAUTHENTICATED", "Request had invalid authentication credentials.",
            reason="ACCESS_TOKEN_TYPE_UNSUPPORTED" if token else "CREDENTIALS_MISSING",
        )  # fmt: skip
    return error_result(
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers. Please use API Key.",
    )


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
    body: Any, *, model: str, vertex: bool = False, rules: Rules = NO_RULES
) -> list[str]:
    """Return everything in a generateContent body that the service or ``rules`` would refuse."""
    body, misfits = shapes.read(body, shapes.GENERATE)
    if misfits:
        return [f"Invalid JSON payload received. {each}" for each in misfits]
    result = list(_content_objections(body, vertex=vertex))
    for setting in body.get("safetySettings", ()):
        for name, known in (("category", _CATEGORIES), ("threshold", _THRESHOLDS)):
            value = setting.get(name)
            if value not in known and not isinstance(value, int):
                result.append(f"Invalid value at 'safety_settings.{name}': {value!r}")
    if model in (table := all_specs()):
        result += _model_objections(PictureRequest(body, model=model), table[model])
    if rules.refuse_sampling:
        config = body.get("generationConfig", {})
        result += [
            f"{name} is not supported by this model." for name in _SAMPLING if name in config
        ]
    if rules.require_store_false and body.get("store") not in (False, "false"):
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
            if blob is None:
                continue
            total += len(blob.get("data", ""))
            mime_type = blob.get("mimeType") or ""
            if mime_type not in MIME_TYPES and not mime_type.startswith(OTHER_MEDIA):
                yield f"Unsupported MIME type: {mime_type}"
            # JSON of protocol buffers has both alphabets, with and without padding; white space is
            # skipped.
            text = "".join(blob.get("data", "").split()).replace("-", "+").replace("_", "/")
            text = text.rstrip("=")
            try:
                data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
            except (binascii.Error, ValueError):
                yield "Invalid value at 'inline_data.data' (TYPE_BYTES), Base64 decoding failed."
                continue
            if not data:
                yield "Provided image is not valid."
            if vertex and len(data) > MAX_ON_VERTEX:
                yield f"Image exceeds the limit of {MAX_ON_VERTEX} bytes."
    if total > MAX_INLINE:
        yield f"Request payload size exceeds the limit: {MAX_INLINE} bytes."


def _model_objections(request: PictureRequest, spec: ModelSpec) -> Iterator[str]:
    if request.ratio not in spec.ratios:
        yield f"aspect_ratio must be one of {', '.join(spec.ratios)}, not {request.ratio!r}."
    elif request.size_name not in spec.sizes:
        yield f"image_size must be one of {', '.join(spec.sizes)}, not {request.size_name!r}."
    elif request.size_name not in PIXELS[request.ratio]:
        yield f"image_size {request.size_name!r} is not available in {request.ratio}."
    if request.references > spec.max_references:
        yield f"At most {spec.max_references} images are supported, got {request.references}."
    # Models whose thinking cannot be configured are not known to refuse a level.
    if request.thinking and spec.thinking and request.thinking not in spec.thinking:
        yield f"Thinking level {request.thinking!r} is not supported for this model."

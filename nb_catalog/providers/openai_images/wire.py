"""OpenAI's images API as data: what is asked for, and the picture in the answer."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

import pydantic_core

from nb_catalog.exceptions import (
    NoPicture,
    OutcomeUnknown,
    ProviderError,
    RequestRefused,
    RequestRejected,
)
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.providers.openai_images import errors
from nb_catalog.providers.types import ImageRequest, ImageResult

SIZE_STYLES: Final = ("pixels", "ratio", "none")
EXTENSIONS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def body_for(
    request: ImageRequest,
    *,
    model: str,
    size_style: str,
    sizes: Mapping[str, str],
    response_format: str,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """The fields of a generation, or of an edit where there are references.

    Raises ``RequestRejected`` for a reference that no gateway reads.
    """
    for reference in request.references:
        if reference.mime_type not in EXTENSIONS:
            raise RequestRejected(
                f"OpenAI's images API does not read {reference.mime_type!r}. Possible: "
                f"{', '.join(EXTENSIONS)}."
            )
    # The API has no field for a system instruction: it is the first thing that is said.
    prompt = f"{request.system.strip()}\n\n{request.prompt}" if request.system else request.prompt
    body: dict[str, Any] = {"model": model, "prompt": prompt, "n": 1}
    if size := _size(request, style=size_style, sizes=sizes):
        body["size"] = size
    if response_format:
        body["response_format"] = response_format
    if extra:
        body["extra_body"] = dict(extra)
    if request.references:
        body["image"] = [
            (f"reference-{number}.{EXTENSIONS[each.mime_type]}", each.data, each.mime_type)
            for number, each in enumerate(request.references, start=1)
        ]
    return body


def _size(request: ImageRequest, *, style: str, sizes: Mapping[str, str]) -> str:
    if request.ratio in sizes:
        return sizes[request.ratio]
    if style == "none":
        return ""
    if style == "ratio":
        return request.ratio
    try:
        width, height = pixel_size(request.ratio, request.size)
    except RequestRefused as error:
        raise RequestRejected(str(error)) from error
    return f"{width}x{height}"


def read(text: str | bytes) -> Mapping[str, Any]:
    """The answer's JSON object. Raises ``OutcomeUnknown`` when it is none."""
    try:
        said = pydantic_core.from_json(text)
    except ValueError:
        said = None
        if errors.is_page(text.decode("latin-1") if isinstance(text, bytes) else text):
            raise errors.page_instead() from None
    if not isinstance(said, Mapping):
        raise OutcomeUnknown(
            "The gateway's answer cannot be read; it may be billed.", reason="unreadable"
        )
    return said


def item_in(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first picture's entry, or an empty one."""
    data = said.get("data")
    first = data[0] if isinstance(data, list) and data else None
    return first if isinstance(first, Mapping) else {}


def url_in(said: Mapping[str, Any]) -> str:
    """Where the picture lies, when it is not in the answer itself."""
    item = item_in(said)
    url = item.get("url")
    return url if isinstance(url, str) and not item.get("b64_json") else ""


def result_in(said: Mapping[str, Any], *, data: bytes = b"") -> ImageResult:
    """The picture in the answer, or ``data`` that was fetched for it.

    Raises ``OutcomeUnknown`` for damaged base64, ``NoPicture`` for an answer without a picture.
    """
    receipt = _receipt(said)
    if data:
        return ImageResult(data=data, mime_type="", **receipt)
    encoded = item_in(said).get("b64_json")
    if not isinstance(encoded, str) or not encoded:
        raise _without_picture(said, receipt)
    try:
        return ImageResult(data=b64decode(encoded, validate=True), mime_type="", **receipt)
    except (binascii.Error, ValueError):
        # No `from`: what was asked for and what came stay out of every trace.
        raise OutcomeUnknown(
            "The picture in the gateway's answer is damaged.", reason="base64", **receipt
        ) from None


def with_receipt(error: ProviderError, said: Mapping[str, Any]) -> ProviderError:
    """``error`` with what the answer before it had counted: the picture was made all the same."""
    return type(error)(str(error), reason=error.reason, **_receipt(said))


def _receipt(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "usage": usage_in(said),
        "model_version": _text(said, "model")[:128],
        "request_id": _text(said, "id")[:128],
    }


def _without_picture(said: Mapping[str, Any], receipt: Mapping[str, Any]) -> ProviderError:
    if isinstance(said.get("error"), Mapping | str):
        return errors.from_status(500, "", said, headers={})
    return NoPicture("The gateway's answer has no picture.", reason="EMPTY", **receipt)


def usage_in(said: Mapping[str, Any]) -> dict[str, int]:
    """Token counts by our names; empty where the gateway counts nothing."""
    counts = said.get("usage")
    if not isinstance(counts, Mapping):
        return {}
    names = {"prompt": "input_tokens", "candidates": "output_tokens", "total": "total_tokens"}
    usage = {
        ours: counts[theirs] for ours, theirs in names.items() if _is_count(counts.get(theirs))
    }
    details = counts.get("output_tokens_details")
    if isinstance(details, Mapping) and _is_count(details.get("image_tokens")):
        usage["image"] = details["image_tokens"]
    return usage


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""

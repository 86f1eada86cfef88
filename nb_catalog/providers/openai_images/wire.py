"""OpenAI's images API as data: builds the request's fields and parses the response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from nb_catalog.exceptions import (
    NoPicture,
    OutcomeUnknown,
    ProviderError,
    RequestRefused,
    RequestRejected,
)
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.providers.openai_images import errors
from nb_catalog.providers.responses import is_count, is_web_page, picture_bytes, read_json, text
from nb_catalog.providers.types import ImageRequest, ImageResult

ConvertError: TypeAlias = Callable[[Mapping[str, Any]], ProviderError]

SIZE_STYLES: Final = ("pixels", "ratio", "none")
EXTENSIONS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def build_fields(
    request: ImageRequest,
    *,
    model: str,
    size_style: str,
    sizes: Mapping[str, str],
    response_format: str,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the fields of a generation, or of an edit if there are references.

    Raises ``RequestRejected`` for a reference of a type that the API does not accept.
    """
    for reference in request.references:
        if reference.mime_type not in EXTENSIONS:
            raise RequestRejected(
                f"OpenAI's images API does not read {reference.mime_type!r}. Possible: "
                f"{', '.join(EXTENSIONS)}."
            )
    # The API has no field for a system instruction, so it is prepended to the prompt.
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


def parse_json(content: str | bytes) -> Mapping[str, Any]:
    """Return the response's JSON object. Raises ``OutcomeUnknown`` if it is not one."""
    try:
        response = read_json(content)
    except ValueError:
        response = None
        if is_web_page(content):
            raise errors.page_instead() from None
    if not isinstance(response, Mapping):
        raise OutcomeUnknown(
            "The gateway's response cannot be read; it may be billed.", reason="unreadable"
        )
    return response


def picture_url(response: Mapping[str, Any]) -> str:
    """Return the picture's URL if it has to be fetched, otherwise an empty string."""
    item = _first_item(response)
    url = text(item, "url").strip()
    return "" if text(item, "b64_json") or url[:5].lower() == "data:" else url


def parse_result(
    response: Mapping[str, Any], *, data: bytes = b"", convert_error: ConvertError
) -> ImageResult:
    """Return the picture in the response, or ``data`` if it was fetched separately.

    ``convert_error`` turns a response that contains an "error" into ours. Raises ``NoPicture`` for a
    response without a picture, or with one whose base64 is damaged.
    """
    receipt = _receipt(response)
    if data:
        return ImageResult(data=data, mime_type="", **receipt)
    item = _first_item(response)
    # Some gateways put a data URI, or base64, where a URL belongs.
    encoded = text(item, "b64_json") or text(item, "url")
    if not encoded:
        if isinstance(response.get("error"), Mapping | str):
            raise convert_error(response)
        raise NoPicture("The gateway's response has no picture.", reason="EMPTY", **receipt)
    if decoded := picture_bytes(encoded):
        return ImageResult(data=decoded, mime_type="", **receipt)
    raise NoPicture(
        "The picture in the gateway's response is damaged: its base64 cannot be decoded.",
        reason="base64",
        **receipt,
    )


def _first_item(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first item that has a picture; an empty one if there is none."""
    data = response.get("data")
    for item in data if isinstance(data, list) else [data]:
        each = {"url": item} if isinstance(item, str) else item
        if isinstance(each, Mapping) and (text(each, "b64_json") or text(each, "url")):
            return each
    return {}


def with_receipt(error: ProviderError, response: Mapping[str, Any]) -> ProviderError:
    """Return ``error`` with the token counts of ``response``: the picture was made nevertheless."""
    return type(error)(str(error), reason=error.reason, **_receipt(response))


def _receipt(response: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "usage": parse_usage(response),
        "model_version": text(response, "model"),
        "request_id": text(response, "id"),
    }


def parse_usage(response: Mapping[str, Any]) -> dict[str, int]:
    """Return token counts by our names; empty if the gateway counts nothing."""
    counts = response.get("usage")
    if not isinstance(counts, Mapping):
        return {}
    names = {"prompt": "input_tokens", "candidates": "output_tokens", "total": "total_tokens"}
    usage = {ours: counts[theirs] for ours, theirs in names.items() if is_count(counts.get(theirs))}
    details = counts.get("output_tokens_details")
    if isinstance(details, Mapping) and is_count(details.get("image_tokens")):
        usage["image"] = details["image_tokens"]
    return usage

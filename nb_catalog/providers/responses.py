"""Reading responses that cannot be trusted: a value of an unexpected type counts as absent."""

from __future__ import annotations

import asyncio
import binascii
import json
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeGuard
from urllib.parse import unquote, unquote_to_bytes

import pydantic_core

if TYPE_CHECKING:
    import aiohttp

# Python's binascii takes 4 ms for a picture of 1.4 MB, this decoder 0.7 ms; the SDK depends on it.
_BASE64: Final = pydantic_core.SchemaValidator(
    pydantic_core.core_schema.bytes_schema(), {"val_json_bytes": "base64"}
)
_DATA_URI_HEADER: Final = re.compile(r"[^,]{0,200},")
_MOST_WRAPPERS: Final = 4
_LONGEST_ERROR: Final = 100_000
_NOT_DATA: Final = re.compile(r"\s+|\\[nrt]|\\")
_PAGE: Final = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object under ``name``, or an empty one."""
    item = value.get(name)
    return item if isinstance(item, Mapping) else {}


def mappings(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects in the list under ``name``."""
    items = value.get(name)
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def text(value: Mapping[str, Any], *names: str) -> str:
    """Return the first string among the values of ``names``, or an empty one."""
    return next((item for name in names if isinstance(item := value.get(name), str)), "")


def is_count(value: object) -> TypeGuard[int]:
    """Whether ``value`` is a number of tokens that fits the database column."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def is_web_page(body: object) -> bool:
    """Whether ``body`` begins like an HTML page."""
    content = body.decode("latin-1") if isinstance(body, bytes) else body
    return isinstance(content, str) and _PAGE.match(content) is not None


def innermost_error(body: object) -> Mapping[str, Any]:
    """Return the error object in ``body``; empty if there is none.

    Gateways wrap what the service behind them said: as JSON in the message, as a list of one error, or
    as FastAPI's ``detail``.
    """
    error: Mapping[str, Any] = {}
    for _ in range(_MOST_WRAPPERS):
        if isinstance(body, str) and body.lstrip()[:1] in {"{", "["} and len(body) < _LONGEST_ERROR:
            try:
                body = read_json(body)
            except ValueError:
                break
        if isinstance(body, list) and len(body) == 1:
            body = body[0]
        if not isinstance(body, Mapping):
            break
        inner = next((body[name] for name in ("error", "detail", "errors") if body.get(name)), body)
        if isinstance(inner, list) and inner:
            inner = inner[0]
        if isinstance(inner, str):
            inner = {**body, "message": inner}
        if isinstance(inner, Mapping):
            error = {**error, **inner}
        message = inner.get("message") if isinstance(inner, Mapping) else None
        if not isinstance(message, str) or message.lstrip()[:1] not in {"{", "["}:
            break
        body = message
    return error


def read_json(body: str | bytes | bytearray) -> Any:
    """Return the JSON value in ``body``. Raises ``ValueError`` for anything else.

    What a strict parser refuses inside of strings is read: bytes that are not UTF-8, halves of
    surrogate pairs, control characters. What contains them has been paid for.
    """
    try:
        return pydantic_core.from_json(body)
    except ValueError:
        pass
    try:
        if not isinstance(body, str):
            body = bytes(body).decode(json.detect_encoding(bytes(body)), "replace")
        return json.loads(body.removeprefix("\ufeff"), strict=False)
    except RecursionError:
        raise ValueError("too deeply nested") from None


def picture_bytes(value: str) -> bytes | None:
    """Return the bytes of a picture that a response contains as text: base64 in any of its forms, or a
    data URI (RFC 2397). Return None if it is damaged."""
    # Some gateways leave out "data:" or the media type; base64 itself has no commas.
    header = _DATA_URI_HEADER.match(value)
    if header is None:
        return _decode(value)
    rest = value[header.end() :]
    if "base64" in header[0].lower():
        return _decode(rest)
    return _decode(rest) or unquote_to_bytes(rest)


def _decode(value: str) -> bytes | None:
    try:
        return _BASE64.validate_python(value)  # type: ignore[no-any-return]
    except pydantic_core.ValidationError:
        pass
    if "%" in value:
        value = unquote(value)
    # Line breaks, also escaped twice, and escaped slashes.
    value = _NOT_DATA.sub("", value).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


async def read_lines(content: aiohttp.StreamReader, *, max_bytes: int) -> AsyncIterator[bytearray]:
    """Yield the non-empty lines of a body as they arrive. A line longer than ``max_bytes`` is cut
    one byte after that length, so that it cannot fill the memory."""
    line = bytearray()
    async for chunk in content.iter_any():
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            line += memoryview(chunk)[start : min(end, start + max_bytes - len(line) + 1)]
            if not line.isspace() and line:
                yield line
                # Let other tasks of the loop run.
                await asyncio.sleep(0)
            line = bytearray()
            start = end + 1
        line += memoryview(chunk)[start : start + max(0, max_bytes - len(line) + 1)]
    if not line.isspace() and line:
        yield line

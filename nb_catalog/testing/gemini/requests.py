"""Requests to the local Gemini, the operations that they call, and the operations' results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from nb_catalog.core.text import nearest
from nb_catalog.testing.gemini.answers import error_json
from nb_catalog.testing.gemini.drawing import PictureRequest

_MODEL: Final = (
    r"(?:(?:/projects/[^/]+/locations/[^/]+)?/publishers/google)?/models/(?P<model>[^/:]+)"
)
# (method, path after the version, operation). The first match counts.
_ROUTES: Final = tuple(
    (method, re.compile(path), operation)
    for method, path, operation in (
        ("POST", rf"{_MODEL}:generateContent", "generateContent"),
        ("POST", rf"{_MODEL}:streamGenerateContent", "streamGenerateContent"),
        ("POST", rf"{_MODEL}:countTokens", "countTokens"),
        ("POST", rf"{_MODEL}:batchGenerateContent", "batches.create"),
        ("GET", _MODEL, "models.get"),
        ("GET", r"/models", "models.list"),
        ("POST", r"/files", "files.upload"),
        ("GET", r"/files", "files.list"),
        ("GET", r"/(?P<name>files/[^/:]+):download", "files.download"),
        ("GET", r"/(?P<name>files/[^/:]+)", "files.get"),
        ("DELETE", r"/(?P<name>files/[^/:]+)", "files.delete"),
        ("GET", r"/batches", "batches.list"),
        ("POST", r"/(?P<name>batches/[^/:]+):cancel", "batches.cancel"),
        ("GET", r"/(?P<name>batches/[^/:]+)", "batches.get"),
        ("DELETE", r"/(?P<name>batches/[^/:]+)", "batches.delete"),
        ("POST", r"/interactions", "interactions.create"),
        ("GET", r"/interactions/(?P<id>[^/:]+)", "interactions.get"),
    )
)
OPERATIONS: Final = tuple(operation for _method, _path, operation in _ROUTES)
# Vertex AI reads and writes batches in Cloud Storage and has no file service.
ON_VERTEX: Final = frozenset(
    {"generateContent", "streamGenerateContent", "countTokens", "models.get"}
)
# Operations of models that Google has and the local server does not: not an error of the client.
_MODEL_OPERATION: Final = re.compile(r".*/models/[^/:]+:(?P<name>[A-Za-z]+)")
_VERSION: Final = re.compile(r"(?:/upload|/download)?/v1(?:beta1?|alpha)?(?=/)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The path, headers and body of a request."""

    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Call:
    """A request while it is processed. ``path_values`` are the named parts of its path."""

    request: web.Request
    operation: str
    path_values: Mapping[str, str]
    number: int
    body: Any = field(default_factory=dict)
    picture_request: PictureRequest = field(default_factory=lambda: PictureRequest({}, model=""))

    @property
    def model(self) -> str:
        body = self.body if isinstance(self.body, dict) else {}
        return self.path_values.get("model", "") or str(body.get("model", ""))

    @property
    def is_vertex(self) -> bool:
        return "/publishers/google/" in self.request.path


@dataclass(slots=True, kw_only=True)
class CallResult:
    """The result of an operation: JSON, or a stream. ``usage`` is what is billed."""

    content: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)
    display_name: str = ""
    stream: Any = None


def validate_operation(operation: str) -> None:
    """Raise ``ValueError`` unless there is an ``operation`` of that name."""
    if operation not in OPERATIONS:
        raise ValueError(f"There is no operation {operation!r}.{nearest(operation, OPERATIONS)}")


def match_call(request: web.Request, *, numbers: Iterator[int]) -> Call | None:
    """Return the call that ``request`` makes; None if there is no such path."""
    version = _VERSION.match(request.path)
    path = request.path[version.end() :] if version else request.path
    for method, pattern, operation in _ROUTES:
        if method == request.method and (match := pattern.fullmatch(path)):
            call = Call(
                request=request,
                operation=operation,
                path_values=match.groupdict(),
                number=next(numbers),
            )
            return None if call.is_vertex and operation not in ON_VERTEX else call
    return None


_IMPLEMENTED: Final = frozenset(
    {"generateContent", "streamGenerateContent", "countTokens", "batchGenerateContent"}
)


def not_found(request: web.Request) -> web.Response:
    """Return the error for a path that the local server does not have."""
    match = _MODEL_OPERATION.fullmatch(request.path)
    if match and match["name"] not in _IMPLEMENTED:
        message = f"The local Gemini has no {match['name']}. Use the service itself to try it."
        content = error_json(501, "UNIMPLEMENTED", message)
    else:
        content = error_json(404, "NOT_FOUND", "Not found.")
    return web.json_response(content, status=content["error"]["code"])


def error_result(code: int, status: str, message: str, *, reason: str = "") -> CallResult:
    """Return Google's error as the result of an operation."""
    return CallResult(status=code, content=error_json(code, status, message, reason=reason))

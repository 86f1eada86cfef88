"""A request on its way through the local Gemini: what is asked for, and what it comes to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from nb_catalog.core.text import nearest
from nb_catalog.testing.gemini.answers import error_json
from nb_catalog.testing.gemini.drawing import Wanted

_MODEL: Final = (
    r"(?:(?:/projects/[^/]+/locations/[^/]+)?/publishers/google)?/models/(?P<model>[^/:]+)"
)
# (method, path behind the version, operation). The first that fits.
_ROUTES: Final = tuple(
    (method, re.compile(path), operation)
    for method, path, operation in (
        ("POST", rf"{_MODEL}:generateContent", "generateContent"),
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
ON_VERTEX: Final = frozenset({"generateContent", "models.get"})
_VERSION: Final = re.compile(r"(?:/upload|/download)?/v1(?:beta1?|alpha)?(?=/)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came in."""

    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Asked:
    """A request on its way through: what is asked, and of whom."""

    request: web.Request
    operation: str
    named: Mapping[str, str]
    number: int
    body: Any = field(default_factory=dict)
    wanted: Wanted = field(default_factory=lambda: Wanted({}, model=""))

    @property
    def model(self) -> str:
        body = self.body if isinstance(self.body, dict) else {}
        return self.named.get("model", "") or str(body.get("model", ""))

    @property
    def is_vertex(self) -> bool:
        return "/publishers/google/" in self.request.path


@dataclass(slots=True, kw_only=True)
class Done:
    """What an operation came to: JSON, or a stream. ``usage`` is what it is billed by."""

    said: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)
    display_name: str = ""
    stream: Any = None


def known_operation(operation: str) -> str:
    """``operation`` itself. Raises ``ValueError`` when there is none of that name."""
    if operation not in OPERATIONS:
        raise ValueError(f"There is no operation {operation!r}.{nearest(operation, OPERATIONS)}")
    return operation


def asked_of(request: web.Request, *, numbers: Iterator[int]) -> Asked | None:
    """Which operation ``request`` is for; None when there is no such address."""
    version = _VERSION.match(request.path)
    path = request.path[version.end() :] if version else request.path
    for method, pattern, operation in _ROUTES:
        if method == request.method and (match := pattern.fullmatch(path)):
            asked = Asked(
                request=request,
                operation=operation,
                named=match.groupdict(),
                number=next(numbers),
            )
            return None if asked.is_vertex and operation not in ON_VERTEX else asked
    return None


def refused(code: int, status: str, message: str, *, reason: str = "") -> Done:
    """Google's error, as what an operation came to."""
    return Done(status=code, said=error_json(code, status, message, reason=reason))

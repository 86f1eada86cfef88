"""A local gateway that speaks OpenAI's images API: generations, edits, and pictures by URL.

with OpenAIImagesServer(key="k") as server:
    server.script(error(429, code="rate_limit_exceeded"), Answer(as_url=True))
    settings: {"BACKEND": "...OpenAIImagesProvider", "OPTIONS": {"base_url": server.url, ...}}
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from nb_catalog.core.types import Size
from nb_catalog.testing.local_server import LocalServer, close_connection
from nb_catalog.testing.pictures import colour_of, solid_png

__all__ = ["Answer", "OpenAIImagesServer", "Received", "error"]

USAGE: Mapping[str, Any] = {
    "input_tokens": 1240,
    "output_tokens": 1120,
    "total_tokens": 2360,
    "output_tokens_details": {"image_tokens": 1120, "text_tokens": 0},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One scripted response.

    ``body`` None stands for a picture that matches the request: in the response itself, or with
    ``as_url`` as a URL, or with ``picture_url`` as that URL. ``fault`` is "drop", "cut" or empty;
    ``delay`` is in seconds.
    """

    status: int = 200
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    as_url: bool = False
    picture_url: str = ""
    usage: Mapping[str, Any] | None = field(default_factory=lambda: dict(USAGE))
    fault: str = ""
    delay: float = 0.0


def error(
    status: int, *, code: str = "", kind: str = "", message: str = "No.", **headers: str
) -> Answer:
    """Return a response with OpenAI's error body. ``headers`` have underscores for hyphens."""
    body = {"error": {"message": message, "type": kind, "code": code or None}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=json.dumps(body).encode(), headers=named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request. ``images`` are the references of an edit; the names of ``headers`` are in lower
    case."""

    path: str
    key: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    fields: Mapping[str, Any] = field(repr=False)
    images: tuple[bytes, ...] = field(default=(), repr=False)


class OpenAIImagesServer(LocalServer):
    """Listens on a free local port while its ``with`` block runs, in a separate thread."""

    def __init__(self, *, key: str = "", by_url: bool = False) -> None:
        super().__init__()
        self.received: list[Received] = []
        self.fetches: list[str] = []
        self.file_answers: deque[Answer] = deque()
        self._key = key
        self._by_url = by_url
        self._script: deque[Answer] = deque()
        self._pictures: dict[str, bytes] = {}

    @property
    def count(self) -> int:
        """The number of requests for a picture."""
        return len(self.received)

    def script(self, *answers: Answer) -> None:
        """Respond to the next requests with ``answers``, in this order."""
        self._script.extend(answers)

    def route(self, app: web.Application) -> None:
        app.router.add_post("/v1/images/generations", self.images)
        app.router.add_post("/v1/images/edits", self.images)
        app.router.add_get("/files/{name}", self.file)

    @property
    def url(self) -> str:
        """The ``base_url`` for a provider."""
        return f"{self.root}/v1"

    async def images(self, request: web.Request) -> web.StreamResponse:
        """Respond to a generation or an edit."""
        fields: dict[str, Any] = {}
        images: list[bytes] = []
        if request.path.endswith("/edits"):
            async for part in await request.multipart():
                if part.name in {"image", "image[]"}:
                    images.append(bytes(await part.read()))
                else:
                    fields[part.name] = await part.text()
        else:
            fields = await request.json()
        received = Received(
            path=request.path,
            key=request.headers.get("Authorization", "").removeprefix("Bearer "),
            headers={name.lower(): value for name, value in request.headers.items()},
            fields=fields,
            images=tuple(images),
        )
        self.received.append(received)
        answer = _validation_error(received, key=self._key) or (
            self._script.popleft() if self._script else Answer(as_url=self._by_url)
        )
        return await _send(request, answer, default=lambda: self._body(received, answer))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Respond to the download of a picture."""
        name = request.match_info["name"]
        self.fetches.append(name)
        answer = (
            self.file_answers.popleft() if self.file_answers else Answer(content_type="image/png")
        )
        return await _send(request, answer, default=lambda: self._pictures.get(name, b""))

    def _body(self, received: Received, answer: Answer) -> bytes:
        size = str(received.fields.get("size", "1024x1024"))
        width, height = (int(part) for part in size.split("x"))
        data = solid_png(Size(width, height), colour=colour_of(str(received.fields["prompt"])))
        item: dict[str, Any] = {"b64_json": base64.b64encode(data).decode("ascii")}
        by_url = answer.as_url or received.fields.get("response_format") == "url"
        if by_url or answer.picture_url:
            name = f"{len(self._pictures)}.png"
            self._pictures[name] = data
            item = {"url": answer.picture_url or f"{self.root}/files/{name}"}
        body = {"created": 1, "model": received.fields.get("model"), "data": [item]}
        return json.dumps(body | ({"usage": answer.usage} if answer.usage else {})).encode()


def _validation_error(received: Received, *, key: str) -> Answer | None:
    """Return the error for a request that OpenAI's own API would refuse."""
    if not received.key or (key and received.key != key):
        return error(401, code="invalid_api_key", message=f"Incorrect API key: {received.key}.")
    missing = [name for name in ("model", "prompt") if not received.fields.get(name)]
    if missing:
        return error(400, kind="invalid_request_error", message=f"Missing: {missing}.")
    if received.path.endswith("edits") and not received.images:
        return error(400, kind="invalid_request_error", message="Missing: image.")
    return None


async def _send(
    request: web.Request, answer: Answer, *, default: Callable[[], bytes]
) -> web.StreamResponse:
    await asyncio.sleep(answer.delay)
    if answer.fault == "drop":
        return close_connection(request)
    body = default() if answer.body is None else answer.body
    headers = {"Content-Type": answer.content_type, **answer.headers}
    if answer.fault != "cut":
        return web.Response(status=answer.status, body=body, headers=headers)
    response = web.StreamResponse(headers={**headers, "Content-Length": str(len(body) + 1)})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    return close_connection(request, response)

"""A local gateway that speaks OpenAI's images API: generations, edits, and pictures by address.

with OpenAIImagesServer(key="k") as server:
    server.script(refusal(429, code="rate_limit_exceeded"), Told(url=True))
    settings: {"BACKEND": "...OpenAIImagesProvider", "OPTIONS": {"base_url": server.url, ...}}
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from nb_catalog.core.types import Size
from nb_catalog.testing.pictures import colour_of, solid_png
from nb_catalog.testing.serving import LocalServer, hung_up

__all__ = [
    "Asked",
    "OpenAIImagesServer",
    "Told",
    "refusal",
]

USAGE: Mapping[str, Any] = {
    "input_tokens": 1240,
    "output_tokens": 1120,
    "total_tokens": 2360,
    "output_tokens_details": {"image_tokens": 1120, "text_tokens": 0},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer. ``body`` None: a fitting picture, by address when ``url``. ``fault`` is "drop",
    "cut" or empty; ``delay`` in seconds. ``place`` is answered in place of the picture's address."""

    status: int = 200
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    url: bool = False
    place: str = ""
    usage: Mapping[str, Any] | None = field(default_factory=lambda: dict(USAGE))
    fault: str = ""
    delay: float = 0.0


def refusal(
    status: int, *, code: str = "", kind: str = "", message: str = "No.", **headers: str
) -> Told:
    """An answer with OpenAI's error body. ``headers`` with underscores for hyphens."""
    body = {"error": {"message": message, "type": kind, "code": code or None}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Told(status=status, body=json.dumps(body).encode(), headers=named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came in; ``images`` are the references of an edit, ``headers`` have small
    letters."""

    path: str
    key: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    fields: Mapping[str, Any] = field(repr=False)
    images: tuple[bytes, ...] = field(default=(), repr=False)


class OpenAIImagesServer(LocalServer):
    """Listens on a free local port while its ``with`` block runs, in a thread of its own."""

    def __init__(self, *, key: str = "", answers_by_url: bool = False) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.fetches: list[str] = []
        self.file_answers: deque[Told] = deque()
        self._key = key
        self._by_url = answers_by_url
        self._script: deque[Told] = deque()
        self._pictures: dict[str, bytes] = {}

    @property
    def count(self) -> int:
        """How many pictures were asked for."""
        return len(self.asked)

    def script(self, *answers: Told) -> None:
        """Answer the next requests with ``answers``, one after the other."""
        self._script.extend(answers)

    def route(self, app: web.Application) -> None:
        app.router.add_post("/v1/images/generations", self._generate)
        app.router.add_post("/v1/images/edits", self._edit)
        app.router.add_get("/files/{name}", self._file)

    @property
    def url(self) -> str:
        """The ``base_url`` to give to a provider."""
        return f"{self.root}/v1"

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, await request.json(), ())

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        fields: dict[str, Any] = {}
        images: list[bytes] = []
        async for part in await request.multipart():
            if part.name in {"image", "image[]"}:
                images.append(bytes(await part.read()))
            else:
                fields[part.name] = await part.text()
        return await self._answer(request, fields, tuple(images))

    async def _answer(
        self, request: web.Request, fields: Mapping[str, Any], images: tuple[bytes, ...]
    ) -> web.StreamResponse:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(path=request.path, key=key, headers=headers, fields=fields, images=images)
        self.asked.append(asked)
        told = _objection(asked, key=self._key) or (
            self._script.popleft() if self._script else Told(url=self._by_url)
        )
        await asyncio.sleep(told.delay)
        if told.fault == "drop":
            return hung_up(request)
        body = self._fitting(asked, told) if told.body is None else told.body
        return await _sent(request, told, body)

    def _fitting(self, asked: Asked, told: Told) -> bytes:
        width, height = (
            int(part) for part in str(asked.fields.get("size", "1024x1024")).split("x")
        )
        data = solid_png(Size(width, height), colour=colour_of(str(asked.fields["prompt"])))
        item: dict[str, Any] = {"b64_json": base64.b64encode(data).decode("ascii")}
        if told.url or told.place or asked.fields.get("response_format") == "url":
            name = f"{len(self._pictures)}.png"
            self._pictures[name] = data
            item = {"url": told.place or f"{self.root}/files/{name}"}
        said = {"created": 1, "model": asked.fields.get("model"), "data": [item]}
        return json.dumps(said | ({"usage": told.usage} if told.usage else {})).encode()

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.fetches.append(name)
        told = self.file_answers.popleft() if self.file_answers else Told(content_type="image/png")
        await asyncio.sleep(told.delay)
        if told.fault == "drop":
            return hung_up(request)
        return await _sent(
            request, told, self._pictures.get(name, b"") if told.body is None else told.body
        )


def _objection(asked: Asked, *, key: str) -> Told | None:
    """What OpenAI's own API would refuse."""
    if not asked.key or (key and asked.key != key):
        return refusal(401, code="invalid_api_key", message=f"Incorrect API key: {asked.key}.")
    missing = [name for name in ("model", "prompt") if not asked.fields.get(name)]
    if missing:
        return refusal(400, kind="invalid_request_error", message=f"Missing: {missing}.")
    if asked.path.endswith("edits") and not asked.images:
        return refusal(400, kind="invalid_request_error", message="Missing: image.")
    return None


async def _sent(request: web.Request, told: Told, body: bytes) -> web.StreamResponse:
    headers = {"Content-Type": told.content_type, **told.headers}
    if told.fault != "cut":
        return web.Response(status=told.status, body=body, headers=headers)
    response = web.StreamResponse(headers={**headers, "Content-Length": str(len(body) + 1)})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    return hung_up(request, response)

"""A local HTTP server that speaks Gemini's generateContent, follows a script and injects faults.

    with GeminiServer() as server:
        server.script(error(429, "RESOURCE_EXHAUSTED", retry_delay="2s"), picture(data))
        settings: {"BACKEND": "...GeminiProvider", "OPTIONS": {"base_url": server.url, ...}}
        assert server.count == 2

Without a script every request is answered with a picture of the asked size, in a colour that
belongs to its prompt. What this project promises never to send is refused with a 400.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from nb_catalog.cards import pixels
from nb_catalog.testing.gemini_answers import Answer, Fault, error, picture_json
from nb_catalog.testing.pictures import colour_of, solid_png

_TOP_LEVEL = {"contents", "systemInstruction", "generationConfig", "safetySettings", "store"}
_GENERATION = {"responseModalities", "imageConfig", "responseFormat", "thinkingConfig"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came in."""

    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)


def objections(received: Received) -> list[str]:
    """What in a request this project promises never to send."""
    body = received.body
    said = [f"Unknown name {key!r}" for key in body if key not in _TOP_LEVEL]
    config = body.get("generationConfig", {})
    said += [f"Unknown name {key!r}" for key in config if key not in _GENERATION]
    if body.get("store") is not False:
        said.append("'store' must be false")
    if not received.headers.get("x-goog-api-key"):
        said.append("API key not valid. Please pass a valid API key.")
    return said


def _fitting(received: Received) -> bytes:
    config = received.body.get("generationConfig", {})
    options = config.get("imageConfig") or config.get("responseFormat", {}).get("image", {})
    size = pixels(options.get("aspectRatio", "1:1"), options.get("imageSize", "1K"))
    prompt = received.body["contents"][0]["parts"][0]["text"]
    model = received.path.rpartition("/")[2].partition(":")[0]
    answer = picture_json(solid_png(size, colour=colour_of(prompt)), model=model)
    return json.dumps(answer).encode()


class GeminiServer:
    """Listens on a free local port while its ``with`` block runs, in a thread of its own."""

    def __init__(self, *, delay: float = 0.0) -> None:
        self.delay = delay
        self.received: list[Received] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._script: deque[Answer] = deque()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.url = ""

    @property
    def count(self) -> int:
        """How many requests came in."""
        return len(self.received)

    def script(self, *answers: Answer) -> None:
        """Answer the next requests with ``answers``, one after the other."""
        self._script.extend(answers)

    def __enter__(self) -> GeminiServer:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=1024, limit=2**20)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        # Connection coroutines see the abort and end before the loop does.
        await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            # The client gives up or the server stops: that is what some tests are about.
            with suppress(ConnectionError, asyncio.CancelledError):
                while (received := await _read(reader)) is not None:
                    if not await self._reply(received, writer):
                        break
        finally:
            self._open.discard(writer)
            writer.close()

    async def _reply(self, received: Received, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection lives on."""
        self.received.append(received)
        answer = self._next(received)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(answer.delay or self.delay)
        finally:
            self.in_flight -= 1
        if answer.fault is Fault.DROP:
            return False
        return await _write(
            writer, answer, _fitting(received) if answer.body is None else answer.body
        )

    def _next(self, received: Received) -> Answer:
        if said := objections(received):
            return error(400, "INVALID_ARGUMENT", "; ".join(said))
        return self._script.popleft() if self._script else Answer()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(path=first.split(" ")[1], headers=headers, body=json.loads(body or b"{}"))


async def _write(writer: asyncio.StreamWriter, answer: Answer, body: bytes) -> bool:
    headers = {"Content-Type": "application/json; charset=UTF-8", **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} Scripted", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if answer.fault is Fault.CUT:
        writer.write(body[: len(body) // 2])
        await writer.drain()
        return False
    if answer.fault is Fault.DRIP:
        for place in range(len(body)):
            writer.write(body[place : place + 1])
            await writer.drain()
            await asyncio.sleep(0.02)
        return True
    writer.write(body)
    await writer.drain()
    return True

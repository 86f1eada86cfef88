"""The local Gemini without its socket: validates calls, runs operations, injects faults, logs requests."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from aiohttp import web

from nb_catalog.testing.gemini import interactions, sending, shapes, validation
from nb_catalog.testing.gemini.answers import Answer, Fault
from nb_catalog.testing.gemini.batches import Batches
from nb_catalog.testing.gemini.drawing import Drawer, PictureRequest
from nb_catalog.testing.gemini.faults import Rate
from nb_catalog.testing.gemini.files import Files
from nb_catalog.testing.gemini.operations import OPERATIONS
from nb_catalog.testing.gemini.request_log import LoggedRequest, RequestLog, price_of
from nb_catalog.testing.gemini.requests import (
    Call,
    CallResult,
    Received,
    error_result,
    match_call,
    not_found,
)

# The operations whose body is JSON.
_SHAPES: Final[Mapping[str, shapes.Shape]] = {
    "generateContent": shapes.GENERATE,
    "streamGenerateContent": shapes.GENERATE,
    "countTokens": shapes.COUNT,
    "batches.create": shapes.BATCH,
    "interactions.create": shapes.INTERACTION,
}
_GENERATE: Final = frozenset({"generateContent", "streamGenerateContent"})
_PICTURES: Final = _GENERATE | {"interactions.create"}


@dataclass(kw_only=True)
class Service:
    """The service. ``offset`` is how far its clock is ahead, in seconds."""

    drawer: Drawer
    delay: float
    keys: Collection[str] | None
    tokens: Collection[str] | None
    faults: Rate | None
    batch_seconds: float
    keep_bodies: bool
    rules: validation.Rules
    scripts: dict[str, deque[Answer]]
    root: Callable[[], str]
    text_models: Collection[str] = ()
    offset: float = 0.0
    in_flight: int = 0
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        self.request_log = RequestLog()
        self.received: list[Received] = []
        self.numbers = count(1)
        self.files = Files(clock=self.clock)
        self.interactions = interactions.Interactions(clock=self.clock)
        self.batches = Batches(
            clock=self.clock,
            files=self.files,
            request_log=self.request_log,
            drawer=self.drawer,
            seconds=self.batch_seconds,
            numbers=self.numbers,
            rules=self.rules,
        )

    def clock(self) -> float:
        return time.time() + self.offset

    async def pass_time(self, hours: float) -> None:
        self.offset += hours * 3600
        await self.batches.process_due()

    def close(self) -> None:
        self.files.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Handle any request to the server."""
        if request.path.startswith("/__nb__/"):
            return await self.report(request)
        call = match_call(request, numbers=self.numbers)
        if call is None:
            return not_found(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            error = await self._read_body(call) or self._validation_error(call)
            answer = Answer()
            if error is None and (script := self.scripts[call.operation]):
                answer = script.popleft()
            elif error is None and self.faults and call.operation in self.faults.operations:
                answer = self.faults.draw(call.number, operation=call.operation) or answer
            result = error or CallResult()
            if error is None and answer.does_work:
                result = await OPERATIONS[call.operation](self, call)
            if call.operation in _GENERATE:
                await asyncio.sleep(answer.delay or self.delay)
            elif answer.delay:
                await asyncio.sleep(answer.delay)
            body = answer.body
            if body is None and result.stream is None:
                content = result.content
                if answer.change is not None and result.status == 200:
                    content = answer.change(content)
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                if call.operation == "streamGenerateContent" and result.status == 200:
                    # One event, or a list, as the client asks for it.
                    if call.request.query.get("alt") == "sse":
                        result.headers["Content-Type"] = "text/event-stream"
                        body = b"data: " + body + b"\r\n\r\n"
                    else:
                        body = b"[" + body + b"]"
            self.request_log.add(self._log_entry(call, answer, result, body))
            return await sending.send(call.request, answer, result, body)
        finally:
            self.in_flight -= 1

    async def _read_body(self, call: Call) -> CallResult | None:
        """Read a JSON body into ``call``. Return the error for a body that is not JSON."""
        if call.operation not in _SHAPES or call.request.method != "POST":
            return None
        raw = await call.request.read()
        try:
            call.body = json.loads(raw) if raw else {}
        except ValueError:
            return error_result(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
        if call.operation in _PICTURES:
            call.picture_request = PictureRequest(_generate_body(call), model=call.model)
        if call.operation in _PICTURES and isinstance(call.body, dict):
            self.received.append(
                Received(
                    path=call.request.path,
                    headers={k.lower(): v for k, v in call.request.headers.items()},
                    body=call.body if self.keep_bodies else {},
                )
            )
        return None

    def _validation_error(self, call: Call) -> CallResult | None:
        if error := validation.authentication_error(call, keys=self.keys, tokens=self.tokens):
            return error
        if call.operation not in _SHAPES:
            return None
        _matching, misfits = shapes.read(call.body, _SHAPES[call.operation])
        if call.operation == "interactions.create":
            misfits = misfits or interactions.objections(call.body)
        if misfits:
            return error_result(
                400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {' '.join(misfits)}"
            )
        if call.operation == "batches.create":
            return None
        if call.operation == "countTokens":
            return _model_error(call, text_models=self.text_models)
        if error := _model_error(call, text_models=self.text_models):
            return error
        objections = validation.objections(
            _generate_body(call),
            model=call.model,
            vertex=call.is_vertex,
            rules=self.rules,
        )
        return error_result(400, "INVALID_ARGUMENT", " ".join(objections)) if objections else None

    def _log_entry(
        self, call: Call, answer: Answer, result: CallResult, body: bytes | None
    ) -> LoggedRequest:
        worked = bool(answer.does_work and result.usage)
        reported = None
        if worked and answer.fault is Fault.NONE:
            # Only a response that was changed has to be parsed.
            changed = answer.change or answer.body
            reported = sending.reported_usage(body) if changed else result.usage
        usage = (reported or result.usage) if worked else {}
        status = answer.status if answer.body is not None else result.status
        return LoggedRequest(
            number=call.number,
            at=self.clock(),
            operation=call.operation,
            path=call.request.path,
            model=call.model,
            status=None if answer.fault is Fault.DROP else status,
            fault=answer.name,
            worked=worked,
            reports_usage=reported is not None,
            usage=usage,
            billed_usd=price_of(usage, model=call.model),
            prompt=call.picture_request.digest if call.operation in _PICTURES else "",
            key="",
            display_name=result.display_name,
        )

    async def report(self, request: web.Request) -> web.StreamResponse:
        """Give other processes the request log and statistics, and let them move the clock."""
        what = request.path.removeprefix("/__nb__/")
        if what == "requests":
            lines = (json.dumps(entry.as_json()) for entry in self.request_log.entries)
            return web.Response(text="\n".join(lines) + "\n", content_type="application/jsonl")
        if what == "stats":
            return web.json_response(
                {
                    "requests": len(self.request_log.entries),
                    "in_flight": self.in_flight,
                    "most_in_flight": self.most_in_flight,
                    "billed_usd": str(self.request_log.billed_usd),
                }
            )
        if what == "pass-time" and request.method == "POST":
            try:
                hours = float(request.query["hours"])
            except (KeyError, ValueError):
                raise web.HTTPBadRequest(text="Add ?hours= with a number.") from None
            await self.pass_time(hours)
            return web.json_response({"ahead_seconds": self.offset})
        raise web.HTTPNotFound


def _model_error(call: Call, *, text_models: Collection[str]) -> CallResult | None:
    error = None if call.model in text_models else validation.model_error(call.model)
    return None if error is None else CallResult(status=404, content=error)


def _generate_body(call: Call) -> Any:
    """Return the call's body as that of generateContent."""
    if call.operation in _GENERATE:
        return call.body
    return interactions.to_generate_content(call.body)

"""What the local Gemini answers: each operation, the faults on top, and the entry in the books."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar, Final

from aiohttp import web

from nb_catalog.providers.model_specs import all_specs
from nb_catalog.testing.gemini import interactions, sending, shapes, strict, uploads
from nb_catalog.testing.gemini.admission import stranger
from nb_catalog.testing.gemini.answers import Answer, Fault, error_json, picture_json
from nb_catalog.testing.gemini.asked import Asked, Done, Received, asked_of, refused
from nb_catalog.testing.gemini.batches import Batch, Batches
from nb_catalog.testing.gemini.drawing import Drawer, Wanted
from nb_catalog.testing.gemini.faults import Rate
from nb_catalog.testing.gemini.files import Files, not_found
from nb_catalog.testing.gemini.interactions import interaction_json, wanted_of
from nb_catalog.testing.gemini.ledger import Entry, Ledger, price_of

# What is read as JSON before anything else is asked about it.
_SHAPES: Final[Mapping[str, shapes.Shape]] = {
    "generateContent": shapes.GENERATE,
    "batches.create": shapes.BATCH,
    "interactions.create": shapes.INTERACTION,
}
_PICTURES: Final = frozenset({"generateContent", "interactions.create"})


@dataclass(kw_only=True)
class Service:
    """The whole service without its socket. ``offset`` is how far its clock is ahead, in seconds."""

    drawer: Drawer
    delay: float
    keys: Collection[str] | None
    tokens: Collection[str] | None
    faults: Rate | None
    batch_seconds: float
    keep_bodies: bool
    insists_on_store: bool
    scripts: dict[str, deque[Answer]]
    address: Callable[[], str]
    text_models: Collection[str] = ()
    offset: float = 0.0
    in_flight: int = 0
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        self.ledger = Ledger()
        self.received: list[Received] = []
        self.numbers = count(1)
        self.files = Files(clock=self.clock)
        self.interactions: dict[str, dict[str, Any]] = {}
        self.batches = Batches(
            clock=self.clock, files=self.files, ledger=self.ledger, drawer=self.drawer,
            seconds=self.batch_seconds, numbers=self.numbers, insists_on_store=self.insists_on_store,
        )  # fmt: skip

    def clock(self) -> float:
        return time.time() + self.offset

    async def pass_time(self, hours: float) -> None:
        self.offset += hours * 3600
        await self.batches.go_on()

    def close(self) -> None:
        self.files.close()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Every request comes here."""
        if request.path.startswith("/__nb__/"):
            return await self._about_itself(request)
        asked = asked_of(request, numbers=self.numbers)
        if asked is None:
            return web.json_response(error_json(404, "NOT_FOUND", "Not found."), status=404)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._answer(asked)
        finally:
            self.in_flight -= 1

    async def _answer(self, asked: Asked) -> web.StreamResponse:
        stopped = await self._read(asked) or self._refusal(asked)
        answer = Answer() if stopped else self._next(asked)
        done = stopped or Done()
        if stopped is None and answer.is_worked:
            done = await self._OPERATIONS[asked.operation](self, asked)
        if asked.operation == "generateContent":
            await asyncio.sleep(answer.delay or self.delay)
        elif answer.delay:
            await asyncio.sleep(answer.delay)
        body = _body(answer, done)
        self.ledger.add(self._entry(asked, answer, done, body))
        return await sending.send(asked.request, answer, done, body)

    async def _read(self, asked: Asked) -> Done | None:
        """Read the body where one is JSON; the answer to what is none."""
        if asked.operation not in _SHAPES or asked.request.method != "POST":
            return None
        raw = await asked.request.read()
        try:
            asked.body = json.loads(raw) if raw else {}
        except ValueError:
            return refused(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
        if asked.operation in _PICTURES:
            asked.wanted = Wanted(_body_of(asked), model=asked.model)
        if asked.operation == "generateContent" and isinstance(asked.body, dict):
            self.received.append(
                Received(
                    path=asked.request.path,
                    headers={k.lower(): v for k, v in asked.request.headers.items()},
                    body=asked.body if self.keep_bodies else {},
                )
            )
        return None

    def _refusal(self, asked: Asked) -> Done | None:
        if said := stranger(asked, keys=self.keys, tokens=self.tokens):
            return said
        if asked.operation not in _SHAPES:
            return None
        _fitting, misfits = shapes.read(asked.body, _SHAPES[asked.operation])
        if asked.operation == "interactions.create":
            misfits = misfits or interactions.objections(asked.body)
        if misfits:
            return refused(
                400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {' '.join(misfits)}"
            )
        if asked.operation == "batches.create":
            return None
        gone = None if asked.model in self.text_models else strict.model_error(asked.model)
        if gone:
            return Done(status=404, said=gone)
        objections = strict.objections(
            _body_of(asked),
            model=asked.model,
            vertex=asked.is_vertex,
            insists_on_store=self.insists_on_store,
        )
        return refused(400, "INVALID_ARGUMENT", " ".join(objections)) if objections else None

    def _next(self, asked: Asked) -> Answer:
        script = self.scripts[asked.operation]
        if script:
            return script.popleft()
        if self.faults is not None and asked.operation in self.faults.operations:
            return self.faults.drawn(asked.number, operation=asked.operation) or Answer()
        return Answer()

    async def _generate(self, asked: Asked) -> Done:
        wanted = asked.wanted
        usage = wanted.usage()
        said = picture_json(
            self.drawer.picture(wanted),
            mime_type=self.drawer.mime_type,
            model=asked.model,
            usage=usage,
            response_id=f"response-{asked.number}",
        )
        return Done(said=said, usage=usage)

    async def _interact(self, asked: Asked) -> Done:
        wanted = asked.wanted
        said = interaction_json(
            f"interaction-{asked.number}",
            wanted,
            picture=self.drawer.picture(wanted),
            mime_type=self.drawer.mime_type,
        )
        if asked.body.get("store") is not False:
            self.interactions[said["id"]] = said
        return Done(said=said, usage=wanted.usage())

    async def _interaction(self, asked: Asked) -> Done:
        said = self.interactions.get(asked.named["id"])
        return Done(said=said) if said else refused(404, "NOT_FOUND", "Interaction not found.")

    async def _model(self, asked: Asked) -> Done:
        if gone := strict.model_error(asked.model):
            return Done(status=404, said=gone)
        return Done(said=_model_json(asked.model))

    async def _models(self, asked: Asked) -> Done:
        there = [each for each in all_specs() if strict.model_error(each) is None]
        return Done(said={"models": [_model_json(each) for each in there]})

    async def _upload(self, asked: Asked) -> Done:
        return await uploads.answer(asked.request, files=self.files, address=self.address())

    async def _files(self, asked: Asked) -> Done:
        return Done(said={"files": [file.as_json(url=self.address()) for file in self.files.all()]})

    async def _file(self, asked: Asked) -> Done:
        name = asked.named["name"]
        file = self.files.get(name)
        if file is None:
            return Done(status=403, said=not_found(name))
        if asked.operation == "files.delete":
            self.files.remove(name)
            return Done(said={})
        if asked.operation == "files.get":
            return Done(said=file.as_json(url=self.address()))
        if file.stream is None:
            return refused(400, "INVALID_ARGUMENT", "Only generated files can be downloaded.")
        return Done(stream=file.stream)

    async def _create_batch(self, asked: Asked) -> Done:
        given, _misfits = shapes.read(asked.body, shapes.BATCH)
        if said := self.batches.objection(given, model=asked.model):
            return Done(status=said["error"]["code"], said=said)
        batch = self.batches.create(given, model=asked.model)
        return Done(said=self.batches.as_json(batch), display_name=batch.display_name)

    async def _list_batches(self, asked: Asked) -> Done:
        query = asked.request.query
        size, start = query.get("pageSize", "50"), query.get("pageToken", "") or "0"
        if not (size.isdecimal() and start.isdecimal()):
            return refused(400, "INVALID_ARGUMENT", "Invalid value at 'page_size' or 'page_token'.")
        page, token = await self.batches.listed(size=int(size), start=int(start))
        said: dict[str, Any] = {"operations": [self.batches.as_json(each) for each in page]}
        return Done(said={**said, **({"nextPageToken": token} if token else {})})

    async def _batch(self, asked: Asked) -> Done:
        batch: Batch | None = await self.batches.get(asked.named["name"])
        if batch is None:
            return refused(404, "NOT_FOUND", "Requested entity was not found.")
        if asked.operation == "batches.cancel":
            self.batches.cancel(batch)
            return Done(said={}, display_name=batch.display_name)
        if asked.operation == "batches.delete":
            batch.deleted = True
            return Done(said={}, display_name=batch.display_name)
        return Done(said=self.batches.as_json(batch), display_name=batch.display_name)

    _OPERATIONS: ClassVar[Mapping[str, Callable[..., Awaitable[Done]]]] = {
        "generateContent": _generate,
        "interactions.create": _interact,
        "interactions.get": _interaction,
        "models.get": _model,
        "models.list": _models,
        "files.upload": _upload,
        "files.list": _files,
        "files.get": _file,
        "files.delete": _file,
        "files.download": _file,
        "batches.create": _create_batch,
        "batches.list": _list_batches,
        "batches.get": _batch,
        "batches.cancel": _batch,
        "batches.delete": _batch,
    }

    def _entry(self, asked: Asked, answer: Answer, done: Done, body: bytes | None) -> Entry:
        worked = bool(answer.is_worked and done.usage)
        told = _told(answer, done, body) if worked else None
        usage = (told or done.usage) if worked else {}
        return Entry(
            number=asked.number,
            at=self.clock(),
            operation=asked.operation,
            path=asked.request.path,
            model=asked.model,
            status=_status(answer, done),
            fault=answer.name,
            worked=worked,
            told=told is not None,
            usage=usage,
            billed_usd=price_of(usage, model=asked.model),
            prompt=asked.wanted.digest if asked.operation in _PICTURES else "",
            key="",
            display_name=done.display_name,
        )

    async def _about_itself(self, request: web.Request) -> web.StreamResponse:
        """For other processes: the books, a few figures, and the clock."""
        what = request.path.removeprefix("/__nb__/")
        if what == "ledger":
            lines = (json.dumps(entry.as_json()) for entry in self.ledger.entries)
            return web.Response(text="\n".join(lines) + "\n", content_type="application/jsonl")
        if what == "stats":
            figures = {"requests": len(self.ledger.entries), "in_flight": self.in_flight,
                       "most_in_flight": self.most_in_flight,
                       "billed_usd": str(self.ledger.billed_usd)}  # fmt: skip
            return web.json_response(figures)
        if what == "pass-time" and request.method == "POST":
            try:
                hours = float(request.query["hours"])
            except (KeyError, ValueError):
                raise web.HTTPBadRequest(text="Say ?hours=, a number.") from None
            await self.pass_time(hours)
            return web.json_response({"ahead_seconds": self.offset})
        raise web.HTTPNotFound


def _body_of(asked: Asked) -> Any:
    """What is asked for, as generateContent has it."""
    return asked.body if asked.operation == "generateContent" else wanted_of(asked.body)


def _told(answer: Answer, done: Done, body: bytes | None) -> Mapping[str, Any] | None:
    """The usage that the client is told. Only an answer that was changed has to be read for it."""
    if answer.fault is not Fault.NONE:
        return None
    return sending.usage_in(body) if answer.change or answer.body else done.usage


def _body(answer: Answer, done: Done) -> bytes | None:
    """The bytes to send; None for a stream."""
    if answer.body is not None:
        return answer.body
    if done.stream is not None:
        return None
    said = answer.change(done.said) if answer.change and done.status == 200 else done.said
    return said if isinstance(said, bytes) else json.dumps(said).encode()


def _status(answer: Answer, done: Done) -> int | None:
    """What was answered; None when nothing was."""
    if answer.fault is Fault.DROP:
        return None
    return answer.status if answer.body is not None else done.status


def _model_json(model: str) -> dict[str, Any]:
    return {
        "name": f"models/{model}",
        "displayName": all_specs()[model].name,
        "supportedGenerationMethods": ["generateContent", "batchGenerateContent"],
    }

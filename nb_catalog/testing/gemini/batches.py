"""The local batch service: jobs that take their time, answers as lines of a file."""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from nb_catalog.testing.gemini import strict
from nb_catalog.testing.gemini.answers import GOOGLE_RPC, error_json, picture_json
from nb_catalog.testing.gemini.drawing import Drawer, Wanted
from nb_catalog.testing.gemini.faults import FAULTS, Rate
from nb_catalog.testing.gemini.files import MOST_BYTES, Files, StoredFile
from nb_catalog.testing.gemini.ledger import Entry, Ledger, price_of

AT_ONCE: Final = 100
EXPIRES_SECONDS: Final = 48 * 3600
PREFIX: Final = "BATCH_STATE_"
# An item's own error: nothing was made, and Google's details are what some readers stumble over.
ITEM_ERROR: Final[Mapping[str, Any]] = {
    "code": 13,
    "message": "Internal error encountered.",
    "details": [{"@type": f"{GOOGLE_RPC}.DebugInfo", "detail": "An item of its own."}],
}
LINE_FAULTS: Final = frozenset({"item_error", "missing", "twice", "malformed_line"})


@dataclass(frozen=True, kw_only=True)
class BatchScript:
    """How the next batch goes.

    ``state`` is its end, with or without Google's prefix, and may be a word that nobody knows.
    ``seconds`` until then (None: the server's own); ``stuck``: for ever, until it is cancelled or
    48 hours have passed. ``items`` spoils single ones: by place or key, a name from ``FAULTS`` or
    one of "item_error", "missing", "twice", "malformed_line"; ``rate`` spoils others at random.
    """

    state: str = "SUCCEEDED"
    seconds: float | None = None
    stuck: bool = False
    items: Mapping[int | str, str] = field(default_factory=dict)
    rate: Rate | None = None
    shuffled: bool = False


@dataclass(slots=True)
class Item:
    """One request of a batch. ``problem`` is why it can have no answer."""

    key: str
    wanted: Wanted | None
    fault: str = ""
    problem: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Batch:
    """One batch as the service sees it. ``created`` is the server's time in seconds."""

    name: str
    display_name: str
    model: str
    created: float
    script: BatchScript
    seconds: float
    input_file: str = ""
    items: list[Item] = field(default_factory=list)
    inlined: list[Mapping[str, Any]] = field(default_factory=list)
    state: str = "PENDING"
    ended: float | None = None
    is_cancelled: bool = False
    is_stopping: bool = False
    output: str = ""
    deleted: bool = False

    @property
    def is_final(self) -> bool:
        return self.ended is not None


class Batches:
    """The batch service. ``script()`` says how the next batches go."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        files: Files,
        ledger: Ledger,
        drawer: Drawer,
        seconds: float,
        numbers: Iterator[int],
    ) -> None:
        self._clock, self._files, self._ledger, self._drawer = clock, files, ledger, drawer
        self._seconds = seconds
        self._numbers = numbers
        self._scripts: deque[BatchScript] = deque()
        self._batches: dict[str, Batch] = {}
        self._working = asyncio.Lock()

    def script(self, *scripts: BatchScript) -> None:
        """How the next batches go, one after the other."""
        self._scripts.extend(scripts)

    @property
    def all(self) -> list[Batch]:
        """Every batch that was ever taken, the oldest first."""
        return list(self._batches.values())

    def objection(self, asked: Mapping[str, Any], *, model: str) -> dict[str, Any] | None:
        """Why a batch is refused, as Google's error body."""
        if refused := strict.model_error(model):
            return refused
        if sum(not batch.is_final for batch in self.all) >= AT_ONCE:
            return error_json(429, "RESOURCE_EXHAUSTED", f"At most {AT_ONCE} batches at once.")
        source = asked.get("batch", {}).get("inputConfig", {})
        if "requests" in source:
            return None
        file = self._files.get(source.get("fileName", ""))
        if file is None:
            return error_json(404, "NOT_FOUND", "The file of requests was not found.")
        if file.size > MOST_BYTES:
            return error_json(400, "INVALID_ARGUMENT", "The file of requests exceeds 2 GB.")
        return None

    def create(self, asked: Mapping[str, Any], *, model: str) -> Batch:
        source = asked["batch"]["inputConfig"]
        script = self._scripts.popleft() if self._scripts else BatchScript()
        batch = Batch(
            name=f"batches/{uuid4().hex[:16]}",
            display_name=asked["batch"].get("displayName", ""),
            model=model,
            created=self._clock(),
            script=script,
            seconds=self._seconds if script.seconds is None else script.seconds,
            input_file=source.get("fileName", ""),
            inlined=list(source.get("requests", {}).get("requests", ())),
        )
        self._batches[batch.name] = batch
        return batch

    async def get(self, name: str) -> Batch | None:
        """The batch as it stands now; what is due has been worked on."""
        batch = self._batches.get(name)
        if batch is None or batch.deleted:
            return None
        async with self._working:
            await self._go_on(batch)
        return batch

    async def listed(self, *, size: int, token: str) -> tuple[list[Batch], str]:
        """A page of batches, the newest first, and the token of the next page."""
        there = [batch for batch in reversed(self.all) if not batch.deleted]
        start = int(token or 0)
        page = there[start : start + size]
        async with self._working:
            for batch in page:
                await self._go_on(batch)
        return page, str(start + size) if start + size < len(there) else ""

    def cancel(self, batch: Batch) -> None:
        batch.is_cancelled = True

    async def _go_on(self, batch: Batch) -> None:
        if batch.is_final:
            return
        age = self._clock() - batch.created
        if age > EXPIRES_SECONDS:
            self._end(batch, "EXPIRED")
        elif batch.is_cancelled and batch.is_stopping:
            self._end(batch, "CANCELLED")
        elif batch.is_cancelled:
            batch.is_stopping = True  # it takes a look longer to be really at its end
        elif batch.script.stuck or age < batch.seconds:
            batch.state = "RUNNING" if age > batch.seconds / 4 else "PENDING"
        else:
            await self._work(batch)

    def _end(self, batch: Batch, state: str) -> None:
        batch.state, batch.ended = state, self._clock()

    async def _work(self, batch: Batch) -> None:
        state = batch.script.state.removeprefix(PREFIX)
        if state not in {"FAILED", "EXPIRED", "CANCELLED"}:
            batch.items = await asyncio.to_thread(lambda: list(self._read(batch)))
            self._enter(batch)
            batch.output = f"files/batch-{batch.name.removeprefix('batches/')}"
            self._files.add(
                StoredFile(
                    name=batch.output,
                    created=self._clock(),
                    mime_type="application/jsonl",
                    stream=lambda: self._results(batch),
                )
            )
        self._end(batch, state)

    def _read(self, batch: Batch) -> Iterator[Item]:
        for place, line in enumerate(self._lines(batch)):
            yield _item(line, place=place, batch=batch)

    def _lines(self, batch: Batch) -> Iterator[Any]:
        for number, each in enumerate(batch.inlined):
            key = each.get("metadata", {}).get("key", str(number))
            yield {"key": key, "request": each.get("request", {})}
        file = self._files.get(batch.input_file)
        if file is not None and file.path is not None:
            with file.path.open("rb") as lines:
                for line in lines:
                    try:
                        yield json.loads(line)
                    except ValueError:
                        yield None

    def _enter(self, batch: Batch) -> None:
        """An entry in the books for each item: what was worked on has its price."""
        for item in batch.items:
            worked = item.problem is None and item.wanted is not None
            usage = self._response(item)["usageMetadata"] if worked else {}
            lost = item.fault in {"missing", "malformed_line"}
            self._ledger.add(
                Entry(
                    number=next(self._numbers),
                    at=self._clock(),
                    operation="batch item",
                    path=batch.name,
                    model=batch.model,
                    fault=item.fault,
                    worked=worked,
                    told=worked and not lost and _is_told(item.fault),
                    usage=usage,
                    billed_usd=price_of(usage, model=batch.model, batch=True),
                    prompt=item.wanted.digest if item.wanted else "",
                    key=item.key,
                    display_name=batch.display_name,
                )
            )

    def _response(self, item: Item, *, drawn: bool = False) -> dict[str, Any]:
        wanted = item.wanted
        assert wanted is not None  # noqa: S101 - items without one have a problem
        good = picture_json(
            self._drawer.picture(wanted) if drawn else b"",
            model=wanted.model,
            usage=wanted.usage(),
            response_id=f"batch-{item.key}",
        )
        kind = FAULTS.get(item.fault)
        changed = kind.answer.change(good) if kind and kind.answer.change else good
        if not drawn and not (isinstance(changed, dict) and "usageMetadata" in changed):
            return good
        return changed if isinstance(changed, dict) else {}

    async def _results(self, batch: Batch) -> AsyncIterator[bytes]:
        items = list(batch.items)
        if batch.script.shuffled:
            random.Random(batch.name).shuffle(items)  # noqa: S311 - an order, not a secret
        for item in items:
            for line in self._answered(item):
                yield line

    def _answered(self, item: Item) -> Iterator[bytes]:
        if item.fault == "missing":
            return
        if item.fault == "malformed_line":
            yield b'{"key": "' + item.key.encode() + b'", "response": {\n'
            return
        if item.problem is not None:
            said: dict[str, Any] = {"key": item.key, "error": item.problem}
        else:
            said = {"key": item.key, "response": self._response(item, drawn=True)}
        line = json.dumps(said).encode() + b"\n"
        yield line
        if item.fault == "twice":
            yield line

    def as_json(self, batch: Batch) -> dict[str, Any]:
        """An operation, as the developer API shows a batch."""
        state = batch.state
        metadata: dict[str, Any] = {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "model": f"models/{batch.model}",
            "displayName": batch.display_name,
            "createTime": _time(batch.created),
            "updateTime": _time(self._clock()),
            "inputConfig": {"fileName": batch.input_file},
            "batchStats": {"requestCount": str(len(batch.items))},
            "state": state if state.startswith("JOB_") else f"{PREFIX}{state}",
            "name": batch.name,
        }
        shown: dict[str, Any] = {"name": batch.name, "metadata": metadata}
        if batch.ended is not None:
            metadata["endTime"] = _time(batch.ended)
            shown["done"] = True
        if batch.output:
            metadata["output"] = {"responsesFile": batch.output}
            shown["response"] = {"responsesFile": batch.output}
        elif state == "FAILED":
            shown["error"] = {"code": 13, "message": "The batch failed."}
        return shown


def _item(line: Any, *, place: int, batch: Batch) -> Item:
    request = line.get("request") if isinstance(line, dict) else None
    if not isinstance(request, dict):
        bad = {"code": 3, "message": f"Line {place + 1} is no request."}
        return Item(key=str(place), wanted=None, problem=bad)
    key = str(line.get("key", place))
    script = batch.script
    name = script.items.get(key) or script.items.get(place) or ""
    if not name and script.rate is not None and (drawn := script.rate.drawn(place)):
        name = drawn.name
    item = Item(key=key, wanted=Wanted(request, model=batch.model), fault=name)
    if said := strict.objections(request, model=batch.model):
        item.problem = {"code": 3, "message": " ".join(said)}
    elif name == "item_error":
        item.problem = ITEM_ERROR
    elif name not in LINE_FAULTS:
        item.problem = _error_of(name)
    return item


def _error_of(name: str) -> Mapping[str, Any] | None:
    """The error that a fault of a single call is for an item of a batch."""
    kind = FAULTS.get(name)
    if kind is None or kind.billed:
        return None
    try:
        error: Mapping[str, Any] = json.loads(kind.answer.body or b"{}")["error"]
    except (ValueError, KeyError):
        return ITEM_ERROR
    return error


def _is_told(name: str) -> bool:
    """Whether an item with this fault says what it used. What goes wrong on a single call's line,
    and not in its answer, does not happen to a batch."""
    kind = FAULTS.get(name)
    return kind is None or kind.told or kind.answer.change is None


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")

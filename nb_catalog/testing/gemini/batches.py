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
from nb_catalog.testing.gemini.answers import error_json
from nb_catalog.testing.gemini.batch_items import (
    BatchScript,
    Item,
    is_told,
    item_in,
    lines_of,
    usage_of,
)
from nb_catalog.testing.gemini.drawing import Drawer
from nb_catalog.testing.gemini.files import MOST_BYTES, Files, StoredFile
from nb_catalog.testing.gemini.ledger import Entry, Ledger, price_of

AT_ONCE: Final = 100
EXPIRES_SECONDS: Final = 48 * 3600
PREFIX: Final = "BATCH_STATE_"


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
        insists_on_store: bool,
    ) -> None:
        self._clock, self._files, self._ledger, self._drawer = clock, files, ledger, drawer
        self._seconds = seconds
        self._numbers = numbers
        self._scripts: deque[BatchScript] = deque()
        self._batches: dict[str, Batch] = {}
        self._insists_on_store = insists_on_store
        self._working = asyncio.Lock()
        self._waiting: set[asyncio.Task[None]] = set()

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
        if source.get("requests", {}).get("requests"):
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
        # Done and billed when it is due, whether or not anybody looks.
        task = asyncio.create_task(self._when_due(batch))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)
        return batch

    async def _when_due(self, batch: Batch) -> None:
        await asyncio.sleep(max(0.0, batch.created + batch.seconds - self._clock()))
        async with self._working:
            await self._work_if_due(batch)

    async def go_on(self) -> None:
        """Do what is due by now."""
        async with self._working:
            for batch in self.all:
                await self._work_if_due(batch)

    async def get(self, name: str) -> Batch | None:
        """The batch as it stands now; what is due has been worked on."""
        batch = self._batches.get(name)
        if batch is None or batch.deleted:
            return None
        async with self._working:
            await self._go_on(batch)
        return batch

    async def listed(self, *, size: int, start: int) -> tuple[list[Batch], str]:
        """A page of batches, the newest first, and the token of the next page."""
        there = [batch for batch in reversed(self.all) if not batch.deleted]
        page = there[start : start + size]
        async with self._working:
            for batch in page:
                await self._go_on(batch)
        return page, str(start + size) if start + size < len(there) else ""

    def cancel(self, batch: Batch) -> None:
        batch.is_cancelled = not batch.is_final

    async def _go_on(self, batch: Batch) -> None:
        """What a look at ``batch`` finds."""
        await self._work_if_due(batch)
        if batch.is_final:
            return
        if batch.is_cancelled:
            if batch.is_stopping:
                self._end(batch, "CANCELLED", at=self._clock())
            batch.is_stopping = True  # it takes a look longer to be really at its end
            return
        is_early = self._clock() - batch.created <= batch.seconds / 4
        batch.state = "PENDING" if is_early else "RUNNING"

    async def _work_if_due(self, batch: Batch) -> None:
        if batch.is_final or batch.is_cancelled:
            return
        stuck = batch.script.stuck or batch.seconds > EXPIRES_SECONDS
        due = batch.created + (EXPIRES_SECONDS if stuck else batch.seconds)
        if self._clock() < due:
            return
        if stuck:
            self._end(batch, "EXPIRED", at=due)
        else:
            await self._work(batch, at=due)

    def _end(self, batch: Batch, state: str, *, at: float) -> None:
        batch.state, batch.ended = state, at

    async def _work(self, batch: Batch, *, at: float) -> None:
        state = batch.script.state.removeprefix(PREFIX)
        if batch.input_file and self._files.get(batch.input_file) is None:
            state = "FAILED"
        if state not in {"FAILED", "EXPIRED", "CANCELLED"}:
            batch.items = await asyncio.to_thread(lambda: list(self._read(batch)))
            self._enter(batch, at=at)
            batch.output = f"files/batch-{batch.name.removeprefix('batches/')}"
            self._files.add(
                StoredFile(
                    name=batch.output,
                    created=at,
                    mime_type="application/jsonl",
                    stream=lambda: self._results(batch),
                )
            )
        self._end(batch, state, at=at)

    def _read(self, batch: Batch) -> Iterator[Item]:
        for place, line in enumerate(self._lines(batch)):
            yield item_in(
                line,
                place=place,
                batch=batch.name,
                model=batch.model,
                script=batch.script,
                insists_on_store=self._insists_on_store,
            )

    def _lines(self, batch: Batch) -> Iterator[Any]:
        for number, each in enumerate(batch.inlined):
            key = each.get("metadata", {}).get("key", str(number))
            yield {"key": key, "request": each.get("request")}
        file = self._files.get(batch.input_file)
        if file is not None and file.path is not None:
            with file.path.open("rb") as lines:
                for line in lines:
                    try:
                        yield json.loads(line)
                    except ValueError:
                        yield None

    def _enter(self, batch: Batch, *, at: float) -> None:
        """An entry in the books for each item: what was worked on has its price."""
        for item in batch.items:
            usage = usage_of(item)
            self._ledger.add(
                Entry(
                    number=next(self._numbers),
                    at=at,
                    operation="batch item",
                    path=batch.name,
                    model=batch.model,
                    fault=item.fault,
                    worked=bool(usage),
                    told=bool(usage) and is_told(item),
                    usage=usage,
                    billed_usd=price_of(usage, model=batch.model, batch=True),
                    prompt=item.wanted.digest if item.wanted else "",
                    key=item.key,
                    display_name=batch.display_name,
                )
            )

    async def _results(self, batch: Batch) -> AsyncIterator[bytes]:
        items = list(batch.items)
        if batch.script.shuffled:
            random.Random(batch.name).shuffle(items)  # noqa: S311 - an order, not a secret
        for item in items:
            for line in lines_of(item, drawer=self._drawer):
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


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")

"""The local batch service: jobs that take time, results as lines of a file."""

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

from nb_catalog.testing.gemini import validation
from nb_catalog.testing.gemini.answers import error_json
from nb_catalog.testing.gemini.batch_items import (
    BatchScript,
    Item,
    item_usage,
    parse_item,
    reports_usage,
    result_lines,
)
from nb_catalog.testing.gemini.drawing import Drawer
from nb_catalog.testing.gemini.files import MAX_BYTES, Files, StoredFile
from nb_catalog.testing.gemini.request_log import LoggedRequest, RequestLog, price_of

AT_ONCE: Final = 100
EXPIRES_SECONDS: Final = 48 * 3600
PREFIX: Final = "BATCH_STATE_"


@dataclass(slots=True)
class Batch:
    """One batch. ``created`` and ``ended`` are the server's time in seconds."""

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
    """The batch service. ``script()`` defines the course of the next batches."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        files: Files,
        request_log: RequestLog,
        drawer: Drawer,
        seconds: float,
        numbers: Iterator[int],
        rules: validation.Rules,
    ) -> None:
        self._clock, self._files, self._drawer = clock, files, drawer
        self._request_log = request_log
        self._seconds = seconds
        self._numbers = numbers
        self._scripts: deque[BatchScript] = deque()
        self._batches: dict[str, Batch] = {}
        self._rules = rules
        self._lock = asyncio.Lock()
        self._timers: set[asyncio.Task[None]] = set()

    def script(self, *scripts: BatchScript) -> None:
        """Define the course of the next batches, in this order."""
        self._scripts.extend(scripts)

    @property
    def all(self) -> list[Batch]:
        """Every batch ever created, oldest first."""
        return list(self._batches.values())

    def objection(self, body: Mapping[str, Any], *, model: str) -> dict[str, Any] | None:
        """Return Google's error body if the batch is refused, otherwise None."""
        if error := validation.model_error(model):
            return error
        if sum(not batch.is_final for batch in self.all) >= AT_ONCE:
            return error_json(429, "RESOURCE_EXHAUSTED", f"At most {AT_ONCE} batches at once.")
        source = body.get("batch", {}).get("inputConfig", {})
        if source.get("requests", {}).get("requests"):
            return None
        file = self._files.get(source.get("fileName", ""))
        if file is None:
            return error_json(404, "NOT_FOUND", "The file of requests was not found.")
        if file.size > MAX_BYTES:
            return error_json(400, "INVALID_ARGUMENT", "The file of requests exceeds 2 GB.")
        return None

    def create(self, body: Mapping[str, Any], *, model: str) -> Batch:
        source = body["batch"]["inputConfig"]
        script = self._scripts.popleft() if self._scripts else BatchScript()
        batch = Batch(
            name=f"batches/{uuid4().hex[:16]}",
            display_name=body["batch"].get("displayName", ""),
            model=model,
            created=self._clock(),
            script=script,
            seconds=self._seconds if script.seconds is None else script.seconds,
            input_file=source.get("fileName", ""),
            inlined=list(source.get("requests", {}).get("requests", ())),
        )
        self._batches[batch.name] = batch

        async def process_later() -> None:
            await asyncio.sleep(max(0.0, batch.created + batch.seconds - self._clock()))
            async with self._lock:
                await self._process_if_due(batch)

        # Processed and billed when due, even if nobody polls.
        task = asyncio.create_task(process_later())
        self._timers.add(task)
        task.add_done_callback(self._timers.discard)
        return batch

    async def process_due(self) -> None:
        """Process every batch that is due."""
        async with self._lock:
            for batch in self.all:
                await self._process_if_due(batch)

    async def get(self, name: str) -> Batch | None:
        """Return the batch in its current state, after processing it if it is due."""
        batch = self._batches.get(name)
        if batch is None or batch.deleted:
            return None
        async with self._lock:
            await self._poll(batch)
        return batch

    async def list_page(self, *, size: int, start: int) -> tuple[list[Batch], str]:
        """Return a page of batches, newest first, and the token of the next page."""
        existing = [batch for batch in reversed(self.all) if not batch.deleted]
        page = existing[start : start + size]
        async with self._lock:
            for batch in page:
                await self._poll(batch)
        return page, str(start + size) if start + size < len(existing) else ""

    def cancel(self, batch: Batch) -> None:
        batch.is_cancelled = not batch.is_final

    async def _poll(self, batch: Batch) -> None:
        """Update the state of ``batch`` as each poll does."""
        await self._process_if_due(batch)
        if batch.is_final:
            return
        if batch.is_cancelled:
            if batch.is_stopping:
                self._end(batch, "CANCELLED", at=self._clock())
            batch.is_stopping = True  # the state is final one poll later
            return
        is_early = self._clock() - batch.created <= batch.seconds / 4
        batch.state = "PENDING" if is_early else "RUNNING"

    async def _process_if_due(self, batch: Batch) -> None:
        if batch.is_final or batch.is_cancelled:
            return
        stuck = batch.script.stuck or batch.seconds > EXPIRES_SECONDS
        due = batch.created + (EXPIRES_SECONDS if stuck else batch.seconds)
        if self._clock() < due:
            return
        if stuck:
            self._end(batch, "EXPIRED", at=due)
        else:
            await self._process(batch, at=due)

    def _end(self, batch: Batch, state: str, *, at: float) -> None:
        batch.state, batch.ended = state, at

    async def _process(self, batch: Batch, *, at: float) -> None:
        async def results() -> AsyncIterator[bytes]:
            items = list(batch.items)
            if batch.script.shuffled:
                random.Random(batch.name).shuffle(items)  # noqa: S311 - an order, not a secret
            for item in items:
                for line in result_lines(item, drawer=self._drawer):
                    yield line

        state = batch.script.state.removeprefix(PREFIX)
        if batch.input_file and self._files.get(batch.input_file) is None:
            state = "FAILED"
        if state not in {"FAILED", "EXPIRED", "CANCELLED"}:
            batch.items = await asyncio.to_thread(self._read_items, batch)
            for item in batch.items:
                usage = item_usage(item)
                self._request_log.add(
                    LoggedRequest(
                        number=next(self._numbers),
                        at=at,
                        operation="batch item",
                        path=batch.name,
                        model=batch.model,
                        fault=item.fault,
                        worked=bool(usage),
                        reports_usage=bool(usage) and reports_usage(item),
                        usage=usage,
                        billed_usd=price_of(usage, model=batch.model, batch=True),
                        prompt=item.request.digest if item.request else "",
                        key=item.key,
                        display_name=batch.display_name,
                    )
                )
            batch.output = f"files/batch-{batch.name.removeprefix('batches/')}"
            self._files.add(
                StoredFile(
                    name=batch.output,
                    created=at,
                    mime_type="application/jsonl",
                    stream=results,
                )
            )
        self._end(batch, state, at=at)

    def _read_items(self, batch: Batch) -> list[Item]:
        # A generator: a request file may be too large for the memory.
        def request_lines() -> Iterator[Any]:
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

        return [
            parse_item(
                line,
                index=index,
                batch=batch.name,
                model=batch.model,
                script=batch.script,
                rules=self._rules,
            )
            for index, line in enumerate(request_lines())
        ]

    def as_json(self, batch: Batch) -> dict[str, Any]:
        """Return the batch as a long-running operation, as the developer API does."""
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
        operation: dict[str, Any] = {"name": batch.name, "metadata": metadata}
        if batch.ended is not None:
            metadata["endTime"] = _time(batch.ended)
            operation["done"] = True
        if batch.output:
            metadata["output"] = {"responsesFile": batch.output}
            operation["response"] = {"responsesFile": batch.output}
        elif state == "FAILED":
            operation["error"] = {"code": 13, "message": "The batch failed."}
        return operation


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")

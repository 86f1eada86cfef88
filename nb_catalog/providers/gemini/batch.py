"""Gemini's batch service: requests as lines of a file, answers as lines of another, at half price."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pydantic_core

from nb_catalog.conf import settings
from nb_catalog.exceptions import (
    AnswerTooLarge,
    ModelRetired,
    NBCatalogError,
    OutcomeUnknown,
)
from nb_catalog.providers.batches import BatchService
from nb_catalog.providers.gemini import errors, wire
from nb_catalog.providers.gemini.client import Connection, transport_errors
from nb_catalog.providers.gemini.connection import GeminiConnection
from nb_catalog.providers.gemini.json_access import mapping, mappings, text
from nb_catalog.providers.types import BatchItem, BatchLimits, BatchReport, Payload

if TYPE_CHECKING:
    import aiohttp
    from google.genai import types

GOOGLE: Final = "https://generativelanguage.googleapis.com"
# The version that Google documents batches and files under; the SDK's default is another.
VERSION: Final = "v1beta"
MIME_TYPE: Final = "application/jsonl"

# Google, November 2026: input files of up to 2 GB, 100 jobs at once, done within 24 hours as a
# rule, given up after 48. Smaller shards than that come back sooner and are fetched again sooner.
LIMITS: Final = BatchLimits(
    items=1000, bytes=1_900_000_000, at_once=100, hours=24.0, expires_hours=48.0
)

# 2 GB over a line of 10 Mbit/s take half an hour.
UPLOAD_SECONDS: Final = 3600.0
ASK_SECONDS: Final = 60.0
# Results come for as long as they are being stored: only silence is a reason to give up.
SILENCE_SECONDS: Final = 120.0

_UNFINISHED: Final = frozenset(
    {"UNSPECIFIED", "QUEUED", "PENDING", "RUNNING", "PAUSED", "UPDATING", "CANCELLING"}
)
_FINAL: Final = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})
# Items carry codes of google.rpc.Code where calls carry those of HTTP. 1 is an item that a batch
# did not come to before it was called off.
_HTTP_OF_RPC: Final[Mapping[int, int]] = {
    1: 503, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429,
    9: 400, 10: 409, 11: 400, 12: 501, 13: 500, 14: 503, 15: 500, 16: 401,
}  # fmt: skip
_KEY: Final = re.compile(rb'"key"\s*:\s*"([^"\\]{1,120})"')
# What an answer says beside its picture.
_BESIDE_THE_PICTURE: Final = 2**20


class GeminiBatches(GeminiConnection, BatchService):
    """The batch half of ``GeminiProvider``."""

    @property
    def batch_limits(self) -> BatchLimits | None:
        # Vertex AI reads batches from its own storage only, which a shop would have to rent.
        return None if self.account.vertex else LIMITS

    def line(self, key: str, payload: Payload) -> bytes:
        return pydantic_core.to_json({"key": key, "request": payload.body}) + b"\n"

    async def upload(self, path: Path, *, name: str) -> str:
        from google.genai import types

        config = types.UploadFileConfig(
            display_name=name, mime_type=MIME_TYPE, http_options=self._own()
        )
        file = await self.talk(
            lambda line: line.client.aio.files.upload(file=path, config=config),
            seconds=UPLOAD_SECONDS,
        )
        if not file.name:
            raise OutcomeUnknown("Gemini took the file of requests and gave it no name.")
        return file.name

    async def submit(self, file: str, *, model: str, name: str) -> str:
        from google.genai import types

        config = types.CreateBatchJobConfig(display_name=name, http_options=self._own())
        batch = await self.talk(
            lambda line: line.client.aio.batches.create(model=model, src=file, config=config),
            seconds=ASK_SECONDS * 2,
        )
        if not batch.name:
            raise OutcomeUnknown("Gemini took the batch and gave it no name.")
        return batch.name

    def _own(self) -> types.HttpOptions:
        """The version that batches need, and the base_url: without one of the call's own, uploaded
        bytes go to the host that the answer names."""
        from google.genai import types

        return types.HttpOptions(api_version=VERSION, base_url=self.base_url or None)

    async def find(self, name: str) -> list[str]:
        found: list[tuple[str, str]] = []
        token = ""
        while True:
            query = {"pageSize": "100", **({"pageToken": token} if token else {})}
            page = await self._asked("GET", "batches", query=query)
            for job in mappings(page, "operations") or mappings(page, "batches"):
                metadata = mapping(job, "metadata") or job
                if text(metadata, "displayName") == name and text(job, "name"):
                    found.append((text(metadata, "createTime"), text(job, "name")))
            token = text(page, "nextPageToken")
            if not token:
                return [each for _created, each in sorted(found)]

    async def poll(self, batch: str) -> BatchReport:
        try:
            # Raw: the SDK's reader fails for the whole batch when one item's error has details.
            job = await self._asked("GET", batch)
        except ModelRetired as error:
            # What a 404 means where no model is named.
            return BatchReport(
                name=batch, state="", is_final=True, is_gone=True, error=_gone(batch, error)
            )
        return _report(batch, job)

    async def collect(self, report: BatchReport) -> AsyncIterator[BatchItem]:
        if not report.result_file:
            return
        most = settings.MAX_PICTURE_BYTES * 4 // 3 + _BESIDE_THE_PICTURE
        response = await self.talk(
            lambda line: self._opened(line, f"{report.result_file}:download"), seconds=ASK_SECONDS
        )
        async with response:
            try:
                async for line in _lines(response.content, most=most):
                    yield _item(line, most=most)
                return
            except transport_errors().all as error:
                failure = self.failure(error, sent=True, seconds=SILENCE_SECONDS)
        raise failure

    async def call_off(self, batch: str) -> None:
        await self._asked("POST", f"{batch}:cancel")

    async def forget(self, *files: str) -> None:
        for file in files:
            try:
                await self._asked("DELETE", file)
            except ModelRetired:
                continue  # expired by itself

    async def _asked(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """The JSON object at ``path``. Raises what an answer other than 200 means."""

        async def ask(line: Connection) -> object:
            async with line.session.request(
                method,
                self._url(path),
                params=query,
                headers=self._headers(),
                allow_redirects=False,
            ) as response:
                return await self._read(response)

        answer = await self.talk(ask, seconds=ASK_SECONDS)
        if not isinstance(answer, Mapping):
            raise OutcomeUnknown("Gemini's answer about a batch cannot be read.")
        return answer

    async def _opened(self, line: Connection, path: str) -> aiohttp.ClientResponse:
        import aiohttp

        response = await line.session.get(
            self._url(path),
            params={"alt": "media"},
            headers=self._headers(),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(sock_read=SILENCE_SECONDS),
        )
        if response.status != 200:
            async with response:
                await self._read(response)
        return response

    async def _read(self, response: aiohttp.ClientResponse) -> object:
        answer = _json(await response.read())
        if response.status != 200:
            raise self.refusal(response.status, response.headers, answer)
        return answer

    def _url(self, path: str) -> str:
        return f"{(self.base_url or GOOGLE).rstrip('/')}/{VERSION}/{path}"

    def _headers(self) -> dict[str, str]:
        return {"x-goog-api-key": self.account.key}


async def _lines(content: aiohttp.StreamReader, *, most: int) -> AsyncIterator[bytearray]:
    """The lines of a body as they come. Of one longer than ``most`` bytes only a beginning of
    that length comes: it must not fill the memory."""
    line = bytearray()
    async for chunk in content.iter_any():
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            line += memoryview(chunk)[start : min(end, start + most - len(line) + 1)]
            if not line.isspace() and line:
                yield line
                # Others want the loop too.
                await asyncio.sleep(0)
            line = bytearray()
            start = end + 1
        line += memoryview(chunk)[start : start + max(0, most - len(line) + 1)]
    if not line.isspace() and line:
        yield line


def _item(line: bytearray, *, most: int) -> BatchItem:
    if len(line) > most:
        return BatchItem(key=_key_in(line), result=_too_long(most))
    said = _json(line)
    if not isinstance(said, Mapping):
        return BatchItem(key=_key_in(line), result=_unreadable())
    return BatchItem(key=text(said, "key"), result=_result(said))


def _result(said: Mapping[str, Any]) -> Any:
    error = mapping(said, "error") or mapping(said, "status")
    if error:
        code = error.get("code")
        status = code if isinstance(code, int) and not isinstance(code, bool) else 500
        return errors.from_response(
            errors.parse_error_body(_HTTP_OF_RPC.get(status, status), {"error": error})
        )
    try:
        return wire.result_of(mapping(said, "response"))
    except NBCatalogError as failure:
        return failure


def _too_long(most: int) -> AnswerTooLarge:
    return AnswerTooLarge(f"The picture in the batch is larger than {most:,} bytes in base64.")


def _unreadable() -> OutcomeUnknown:
    return OutcomeUnknown("A line of the batch's results cannot be read; it may be billed.")


def _key_in(line: bytearray) -> str:
    """The key of a line that is no JSON, or too much of it."""
    match = _KEY.search(line[:1000]) or _KEY.search(line[-1000:])
    return match[1].decode("ascii", "replace") if match else ""


def _report(batch: str, job: Mapping[str, Any]) -> BatchReport:
    metadata = mapping(job, "metadata") or job
    state = text(metadata, "state")[:80]
    word = state.removeprefix("JOB_STATE_").removeprefix("BATCH_STATE_")
    file = _result_file(metadata, job)
    error = mapping(job, "error") or mapping(metadata, "error")
    # A state that nobody has heard of is final once there is something to fetch.
    final = word in _FINAL or (word not in _UNFINISHED and bool(file or job.get("done") is True))
    return BatchReport(
        name=batch,
        state=state,
        is_final=final,
        result_file=file,
        error=errors.parse_error_body(500, {"error": error}).message,
    )


def _result_file(*places: Mapping[str, Any]) -> str:
    for place in places:
        for name in ("output", "dest", "response"):
            destination = mapping(place, name)
            if file := text(destination, "responsesFile", "fileName"):
                return file
    return ""


def _gone(batch: str, error: Exception) -> str:
    return f"Gemini does not know the batch {batch} any more. {error}"


def _json(body: bytes | bytearray) -> object:
    try:
        return pydantic_core.from_json(body)
    except ValueError:
        return None

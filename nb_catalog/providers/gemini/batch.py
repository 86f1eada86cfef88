"""Gemini's batch service: a file with one request per line in, a file with one result per line out,
at half price."""

from __future__ import annotations

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
from nb_catalog.providers.gemini import wire
from nb_catalog.providers.gemini.client import Connection, transport_errors
from nb_catalog.providers.gemini.connection import GeminiConnection
from nb_catalog.providers.responses import mapping, mappings, read_json, read_lines, text
from nb_catalog.providers.types import BatchItem, BatchLimits, BatchReport, ImageResult, Payload

if TYPE_CHECKING:
    import aiohttp
    from google.genai import types

GOOGLE: Final = "https://generativelanguage.googleapis.com"
# The version that Google documents batches and files under; the SDK's default is another.
VERSION: Final = "v1beta"
MIME_TYPE: Final = "application/jsonl"

# Google, November 2026: input files of up to 2 GB, 100 jobs at once, usually done within 24 hours,
# expired after 48. Smaller batches return sooner and are downloaded again sooner.
LIMITS: Final = BatchLimits(
    items=1000, bytes=1_900_000_000, at_once=100, hours=24.0, expires_hours=48.0
)

# 2 GB at 10 Mbit/s take half an hour.
UPLOAD_SECONDS: Final = 3600.0
CALL_SECONDS: Final = 60.0
# A download lasts as long as its results are being stored: only silence is a reason to give up.
SILENCE_SECONDS: Final = 120.0

_UNFINISHED: Final = frozenset(
    {"UNSPECIFIED", "QUEUED", "PENDING", "RUNNING", "PAUSED", "UPDATING", "CANCELLING"}
)
_FINAL: Final = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})
_KEY: Final = re.compile(rb'"key"\s*:\s*"([^"\\]{1,120})"')
# What a response contains beside its picture.
_BESIDE_THE_PICTURE: Final = 2**20


class GeminiBatches(GeminiConnection, BatchService):
    """The batch half of ``GeminiProvider``."""

    @property
    def batch_limits(self) -> BatchLimits | None:
        # Vertex AI reads batches from Cloud Storage only, which a shop would have to rent.
        return None if self.account.vertex else LIMITS

    def request_line(self, key: str, payload: Payload) -> bytes:
        return pydantic_core.to_json({"key": key, "request": payload.body}) + b"\n"

    async def upload(self, path: Path, *, name: str) -> str:
        from google.genai import types

        config = types.UploadFileConfig(
            display_name=name, mime_type=MIME_TYPE, http_options=self._http_options()
        )
        file = await self.call(
            lambda connection: connection.client.aio.files.upload(file=path, config=config),
            seconds=UPLOAD_SECONDS,
        )
        if not file.name:
            raise OutcomeUnknown("Gemini accepted the request file and returned no name for it.")
        return file.name

    async def submit(self, file: str, *, model: str, name: str) -> str:
        from google.genai import types

        config = types.CreateBatchJobConfig(display_name=name, http_options=self._http_options())
        batch = await self.call(
            lambda connection: connection.client.aio.batches.create(
                model=model, src=file, config=config
            ),
            seconds=CALL_SECONDS * 2,
        )
        if not batch.name:
            raise OutcomeUnknown("Gemini accepted the batch and returned no name for it.")
        return batch.name

    def _http_options(self) -> types.HttpOptions:
        """Return the API version that batches need, and the base_url: without one for the call, the
        SDK uploads bytes to the host that the response names."""
        from google.genai import types

        return types.HttpOptions(api_version=VERSION, base_url=self.base_url or None)

    async def find(self, name: str) -> list[str]:
        matches: list[tuple[str, str]] = []
        token = ""
        while True:
            query = {"pageSize": "100", **({"pageToken": token} if token else {})}
            page = await self._request("GET", "batches", query=query)
            for job in mappings(page, "operations") or mappings(page, "batches"):
                metadata = mapping(job, "metadata") or job
                if text(metadata, "displayName") == name and text(job, "name"):
                    matches.append((text(metadata, "createTime"), text(job, "name")))
            token = text(page, "nextPageToken")
            if not token:
                return [batch for _created, batch in sorted(matches)]

    async def poll(self, batch: str) -> BatchReport:
        try:
            # Raw, because the SDK's reader fails for the whole batch if one item's error has details.
            job = await self._request("GET", batch)
        except ModelRetired as error:
            # This is what a 404 means in a path without a model.
            message = f"Gemini no longer has the batch {batch}. {error}"
            return BatchReport(name=batch, state="", is_final=True, is_gone=True, error=message)
        metadata = mapping(job, "metadata") or job
        state = text(metadata, "state")[:80]
        name = state.removeprefix("JOB_STATE_").removeprefix("BATCH_STATE_")
        destinations = (
            mapping(place, field)
            for place in (metadata, job)
            for field in ("output", "dest", "response")
        )
        files = (text(each, "responsesFile", "fileName") for each in destinations)
        file = next(filter(None, files), "")
        failure = mapping(job, "error") or mapping(metadata, "error")
        # An unknown state is final once there is a result to download.
        final = name in _FINAL or (
            name not in _UNFINISHED and bool(file or job.get("done") is True)
        )
        return BatchReport(
            name=batch,
            state=state,
            is_final=final,
            result_file=file,
            error=text(failure, "message"),
            problem=self.parsed_error({"error": failure}, rpc_codes=True) if failure else None,
        )

    async def collect(self, report: BatchReport) -> AsyncIterator[BatchItem]:
        if not report.result_file:
            return

        async def open_file(connection: Connection) -> aiohttp.ClientResponse:
            import aiohttp

            response = await connection.session.get(
                self._url(f"{report.result_file}:download"),
                params={"alt": "media"},
                headers=self._headers(),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(sock_read=SILENCE_SECONDS),
            )
            if response.status != 200:
                async with response:
                    await self._read_json(response)
            return response

        max_bytes = settings.MAX_PICTURE_BYTES * 4 // 3 + _BESIDE_THE_PICTURE
        response = await self.call(open_file, seconds=CALL_SECONDS)
        async with response:
            try:
                async for line in read_lines(response.content, max_bytes=max_bytes):
                    yield self.parse_line(line, max_bytes=max_bytes)
                return
            except transport_errors().all as error:
                failure = self.convert_error(error, sent=True, seconds=SILENCE_SECONDS)
        raise failure

    async def cancel(self, batch: str) -> None:
        await self._request("POST", f"{batch}:cancel")

    async def delete_files(self, *files: str) -> None:
        for file in files:
            try:
                await self._request("DELETE", file)
            except ModelRetired:
                continue  # a 404: the file has expired

    async def _request(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """Return the JSON object at ``path``. Raises a ``ProviderError`` unless the status is 200."""

        async def request(connection: Connection) -> object:
            async with connection.session.request(
                method,
                self._url(path),
                params=query,
                headers=self._headers(),
                allow_redirects=False,
            ) as response:
                return await self._read_json(response)

        value = await self.call(request, seconds=CALL_SECONDS)
        if not isinstance(value, Mapping):
            raise OutcomeUnknown("Gemini's response about a batch cannot be read.")
        return value

    async def _read_json(self, response: aiohttp.ClientResponse) -> object:
        value = _from_json(await response.read())
        if response.status != 200:
            raise self.response_error(response.status, response.headers, value)
        return value

    def _url(self, path: str) -> str:
        return f"{(self.base_url or GOOGLE).rstrip('/')}/{VERSION}/{path}"

    def _headers(self) -> dict[str, str]:
        return {"x-goog-api-key": self.account.key}

    def parse_line(self, line: bytearray, *, max_bytes: int) -> BatchItem:
        value = None if len(line) > max_bytes else _from_json(line)
        if not isinstance(value, Mapping):
            match = _KEY.search(line[:1000]) or _KEY.search(line[-1000:])
            key = match[1].decode("ascii", "replace") if match else ""
            if len(line) > max_bytes:
                return BatchItem(
                    key=key,
                    result=AnswerTooLarge(
                        f"The picture in the batch is larger than {max_bytes:,} bytes in base64."
                    ),
                )
            return BatchItem(
                key=key,
                result=OutcomeUnknown(
                    "A line of the batch's results cannot be read; it may be billed."
                ),
            )
        result: ImageResult | NBCatalogError
        if mapping(value, "error") or mapping(value, "status"):
            error = mapping(value, "error") or mapping(value, "status")
            result = self.parsed_error({"error": error}, rpc_codes=True)
        else:
            try:
                result = wire.parse_response(
                    mapping(value, "response"), convert_error=self.parsed_error
                )
            except NBCatalogError as failure:
                result = failure
        return BatchItem(key=text(value, "key"), result=result)


def _from_json(body: bytes | bytearray) -> object:
    try:
        return read_json(body)
    except ValueError:
        return None

"""The local file service: files are uploaded in chunks, stored on disk and gone after 48 hours.

Uploads follow Google's resumable protocol: announced, then sent in chunks that may be repeated.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from aiohttp import web

from nb_catalog.testing.gemini import shapes
from nb_catalog.testing.gemini.requests import CallResult, error_result

LIFETIME_SECONDS: Final = 48 * 3600
MAX_BYTES: Final = 2 * 10**9

Stream = Callable[[], AsyncIterator[bytes]]


@dataclass(slots=True)
class StoredFile:
    """One file. ``stream`` generates the content of a result; ``path`` has that of an upload."""

    name: str
    created: float
    display_name: str = ""
    mime_type: str = "application/octet-stream"
    path: Path | None = None
    stream: Stream | None = field(default=None, repr=False)
    size: int = 0
    is_whole: bool = True

    def as_json(self, *, url: str) -> dict[str, Any]:
        generated = {
            "source": "GENERATED",
            "downloadUri": f"{url}/v1beta/{self.name}:download?alt=media",
        }
        return {
            "name": self.name,
            "displayName": self.display_name,
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size),
            "uri": f"{url}/v1beta/{self.name}",
            "state": "ACTIVE",
            **(generated if self.stream else {"source": "UPLOADED"}),
        }


class Files:
    """The file service. ``clock`` returns the server's time in seconds."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._files: dict[str, StoredFile] = {}
        self._uploads: dict[str, StoredFile] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def begin(self, metadata: Mapping[str, Any], *, mime_type: str) -> str:
        """Start an upload. Return its id."""
        upload = uuid4().hex
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="nb_catalog-gemini-")
        path = Path(self._folder.name) / upload
        path.touch()
        self._uploads[upload] = StoredFile(
            name=metadata.get("name") or f"files/{upload[:12]}",
            created=self._clock(),
            display_name=metadata.get("displayName", ""),
            mime_type=metadata.get("mimeType") or mime_type,
            path=path,
            is_whole=False,
        )
        return upload

    def uploading(self, upload: str) -> StoredFile | None:
        """Return the file of this upload, with what has been received so far."""
        return self._uploads.get(upload)

    async def write(
        self, upload: str, content: AsyncIterator[bytes], *, offset: int, last: bool
    ) -> StoredFile:
        """Write ``content`` at ``offset``; the ``last`` chunk completes the file. A repeated chunk
        overwrites itself, and a complete file is not changed any more."""
        file = self._uploads[upload]
        assert file.path is not None  # noqa: S101 - every upload has a path
        if file.is_whole:
            return file
        with file.path.open("r+b") as target:
            target.seek(offset)
            async for chunk in content:
                target.write(chunk)
            file.size = max(file.size, target.tell())
        if last:
            file.is_whole = True
            self._files[file.name] = file
        return file

    def add(self, file: StoredFile) -> None:
        self._files[file.name] = file

    def get(self, name: str) -> StoredFile | None:
        """Return the file; None once it has expired."""
        file = self._files.get(name)
        if file is None or self._clock() - file.created > LIFETIME_SECONDS:
            return None
        return file

    def all(self) -> list[StoredFile]:
        return [file for name in list(self._files) if (file := self.get(name))]

    def remove(self, name: str) -> bool:
        file = self._files.pop(name, None)
        if file is not None and file.path is not None:
            file.path.unlink(missing_ok=True)
        return file is not None


def not_found(name: str) -> CallResult:
    """Return Google's error for a file that does not exist."""
    return error_result(
        403, "PERMISSION_DENIED",
        f"You do not have permission to access the File {name} or it may not exist.",
    )  # fmt: skip


async def handle_upload(request: web.Request, *, files: Files, root: str) -> CallResult:
    """Handle one request of an upload. ``root`` is the server's URL, for the following requests."""
    command = request.headers.get("X-Goog-Upload-Command", "")
    if command == "start":
        return await _start_upload(request, files=files, root=root)
    upload = request.query.get("upload_id", "")
    file = files.uploading(upload)
    if file is None:
        return error_result(404, "NOT_FOUND", "There is no such upload.")
    if command == "query":
        return CallResult(content={}, headers=_progress_headers(file))
    offset = request.headers.get("X-Goog-Upload-Offset", "")
    if not offset.isdecimal() or int(offset) > file.size:
        return error_result(
            400, "INVALID_ARGUMENT", f"Invalid upload offset: {file.size} bytes were received."
        )
    chunks = request.content.iter_any()
    file = await files.write(upload, chunks, offset=int(offset), last="finalize" in command)
    content = {"file": file.as_json(url=root)} if file.is_whole else {}
    return CallResult(content=content, headers=_progress_headers(file))


async def _start_upload(request: web.Request, *, files: Files, root: str) -> CallResult:
    body: dict[str, Any] = {}
    try:
        body, misfits = shapes.read(json.loads(await request.read() or b"{}"), shapes.UPLOAD)
    except ValueError:
        misfits = ["The body is not JSON."]
    if misfits:
        return error_result(
            400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {' '.join(misfits)}"
        )
    kind = request.headers.get("X-Goog-Upload-Header-Content-Type", "")
    upload = files.begin(body.get("file", {}), mime_type=kind)
    url = f"{root}/upload/v1beta/files?upload_id={upload}"
    return CallResult(
        content={}, headers={"X-Goog-Upload-URL": url, "X-Goog-Upload-Status": "active"}
    )


def _progress_headers(file: StoredFile) -> dict[str, str]:
    return {
        "X-Goog-Upload-Status": "final" if file.is_whole else "active",
        "X-Goog-Upload-Size-Received": str(file.size),
    }

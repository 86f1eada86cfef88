"""Files at the local Gemini: uploaded in pieces, kept on disk, gone after 48 hours."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from nb_catalog.testing.gemini.answers import error_json

LIVES_SECONDS: Final = 48 * 3600
MOST_BYTES: Final = 2 * 10**9

Stream = Callable[[], AsyncIterator[bytes]]


@dataclass(slots=True)
class StoredFile:
    """One file. ``stream`` makes the content of a result; an uploaded file lies at ``path``."""

    name: str
    created: float
    display_name: str = ""
    mime_type: str = "application/octet-stream"
    path: Path | None = None
    stream: Stream | None = field(default=None, repr=False)
    size: int = 0
    is_whole: bool = True

    def as_json(self, *, url: str) -> dict[str, Any]:
        made = {
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
            **(made if self.stream else {"source": "UPLOADED"}),
        }


class Files:
    """The file service. ``clock`` gives the server's time in seconds."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._files: dict[str, StoredFile] = {}
        self._uploads: dict[str, StoredFile] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def begin(self, asked: Mapping[str, Any], *, mime_type: str) -> str:
        """The id under which the bytes will come."""
        upload = uuid4().hex
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="nb_catalog-gemini-")
        path = Path(self._folder.name) / upload
        path.touch()
        self._uploads[upload] = StoredFile(
            name=asked.get("name") or f"files/{upload[:12]}",
            created=self._clock(),
            display_name=asked.get("displayName", ""),
            mime_type=asked.get("mimeType") or mime_type,
            path=path,
            is_whole=False,
        )
        return upload

    def coming(self, upload: str) -> StoredFile | None:
        """The file that comes under this id, as far as it is there."""
        return self._uploads.get(upload)

    async def take(
        self, upload: str, content: AsyncIterator[bytes], *, offset: int, last: bool
    ) -> StoredFile:
        """Write ``content`` at ``offset``, and keep the file after the ``last`` piece. A piece
        that comes again takes its own place again, and a file that is whole stays as it is."""
        file = self._uploads[upload]
        assert file.path is not None  # noqa: S101 - what is uploaded has a place
        if file.is_whole:
            return file
        with file.path.open("r+b") as opened:
            opened.seek(offset)
            async for piece in content:
                opened.write(piece)
            file.size = max(file.size, opened.tell())
        if last:
            file.is_whole = True
            self._files[file.name] = file
        return file

    def add(self, file: StoredFile) -> None:
        self._files[file.name] = file

    def get(self, name: str) -> StoredFile | None:
        """None once its 48 hours are over."""
        file = self._files.get(name)
        if file is None or self._clock() - file.created > LIVES_SECONDS:
            return None
        return file

    def all(self) -> list[StoredFile]:
        return [file for name in list(self._files) if (file := self.get(name))]

    def remove(self, name: str) -> bool:
        file = self._files.pop(name, None)
        if file is not None and file.path is not None:
            file.path.unlink(missing_ok=True)
        return file is not None


def not_found(name: str) -> dict[str, Any]:
    """What Google says of a file that is gone or never was."""
    return error_json(
        403, "PERMISSION_DENIED",
        f"You do not have permission to access the File {name} or it may not exist.",
    )  # fmt: skip

"""Files at the local Gemini: uploaded in pieces, kept on disk, gone after 48 hours."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from nb_catalog.testing.gemini.answers import error_json
from nb_catalog.testing.gemini.drawing import field_of

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
        self._folder = tempfile.TemporaryDirectory(prefix="nb_catalog-gemini-")

    def close(self) -> None:
        self._folder.cleanup()

    def begin(self, asked: dict[str, Any], *, mime_type: str) -> str:
        """The id under which the bytes will come."""
        upload = uuid4().hex
        name = asked.get("name") or f"files/{upload[:12]}"
        self._uploads[upload] = StoredFile(
            name=name,
            created=self._clock(),
            display_name=field_of(asked, "displayName") or "",
            mime_type=field_of(asked, "mimeType") or mime_type,
            path=Path(self._folder.name) / upload,
        )
        return upload

    async def take(
        self, upload: str, content: AsyncIterator[bytes], *, last: bool
    ) -> StoredFile | None:
        """Append ``content``; the whole file after the ``last`` piece. None for an unknown id."""
        file = self._uploads.get(upload)
        if file is None or file.path is None:
            return None
        with file.path.open("ab") as opened:
            async for piece in content:
                opened.write(piece)
                file.size += len(piece)
        if last:
            self._files[file.name] = self._uploads.pop(upload)
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

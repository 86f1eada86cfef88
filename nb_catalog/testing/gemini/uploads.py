"""Files on their way up to the local Gemini: announced, then sent in pieces, each of them again if
need be (Google's resumable protocol)."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from nb_catalog.testing.gemini import shapes
from nb_catalog.testing.gemini.asked import Done, refused
from nb_catalog.testing.gemini.files import Files, StoredFile


async def answer(request: web.Request, *, files: Files, address: str) -> Done:
    """One request of an upload. ``address`` is the server's own, for the next ones."""
    command = request.headers.get("X-Goog-Upload-Command", "")
    if command == "start":
        return await _begun(request, files=files, address=address)
    upload = request.query.get("upload_id", "")
    file = files.coming(upload)
    if file is None:
        return refused(404, "NOT_FOUND", "There is no such upload.")
    if command == "query":
        return Done(said={}, headers=_how_far(file))
    offset = request.headers.get("X-Goog-Upload-Offset", "")
    if not offset.isdecimal() or int(offset) > file.size:
        return refused(
            400, "INVALID_ARGUMENT", f"Invalid upload offset: {file.size} bytes have come."
        )
    pieces = request.content.iter_any()
    file = await files.take(upload, pieces, offset=int(offset), last="finalize" in command)
    said = {"file": file.as_json(url=address)} if file.is_whole else {}
    return Done(said=said, headers=_how_far(file))


async def _begun(request: web.Request, *, files: Files, address: str) -> Done:
    given: dict[str, Any] = {}
    try:
        given, misfits = shapes.read(json.loads(await request.read() or b"{}"), shapes.UPLOAD)
    except ValueError:
        misfits = ["The body is no JSON."]
    if misfits:
        return refused(
            400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {' '.join(misfits)}"
        )
    kind = request.headers.get("X-Goog-Upload-Header-Content-Type", "")
    upload = files.begin(given.get("file", {}), mime_type=kind)
    place = f"{address}/upload/v1beta/files?upload_id={upload}"
    return Done(said={}, headers={"X-Goog-Upload-URL": place, "X-Goog-Upload-Status": "active"})


def _how_far(file: StoredFile) -> dict[str, str]:
    return {
        "X-Goog-Upload-Status": "final" if file.is_whole else "active",
        "X-Goog-Upload-Size-Received": str(file.size),
    }

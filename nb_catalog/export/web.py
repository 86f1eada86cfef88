"""Exports in one request of a web page or of the API: bounded, and sent from a file on the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.exceptions import RequestRefused
from nb_catalog.export.archive import write_archive
from nb_catalog.export.planning import ExportPlan, plan_export
from nb_catalog.export.types import ExportedPicture, ExportOptions
from nb_catalog.models import Export

MEDIA_TYPE: Final = "application/zip"
MOST_IN_REQUEST: Final = 500
# Web servers end requests after 30.
SECONDS: Final = 25.0
_CHUNK: Final = 256 * 1024
# A larger ZIP is a file on the disk.
_MEMORY: Final = 16_000_000


def plan_for_web(pictures: Sequence[ExportedPicture], options: ExportOptions) -> ExportPlan:
    """Return what ``plan_export`` does. Raises ``RequestRefused`` for more than ``MOST_IN_REQUEST``, too."""
    if len(pictures) > MOST_IN_REQUEST:
        raise RequestRefused(
            _(
                "%(number)s pictures are too many for a web page, which exports at most %(most)s. Choose "
                "fewer, or have a worker export them in the background."
            )
            % {"number": len(pictures), "most": MOST_IN_REQUEST}
        )
    return plan_export(pictures, options)


def archive_response(request: Any, plan: ExportPlan) -> HttpResponseBase:
    """Return the ZIP of ``plan`` as a download. Raises ``RequestRefused`` as ``write_archive`` does.

    It is written before the response begins, so that a refusal is one, and no broken download.
    """
    file = SpooledTemporaryFile(_MEMORY)  # noqa: SIM115 - closed with the response
    try:
        report = write_archive(plan, file, seconds=SECONDS)
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    response = _download(request, file, size=size, at=timezone.now())
    response["X-Left-Out"] = str(len(report.left_out))
    return response


def export_response(request: Any, export: Export) -> HttpResponseBase:
    """Return the file of an ``export`` that a worker has made. Raises ``PictureMissing``."""
    file = storage.open_file(export.file)
    response = _download(
        request, file, size=export.byte_size or 0, at=export.finished_at or export.requested_at
    )
    response["X-Left-Out"] = str(export.left_out)
    return response


def _download(request: Any, file: IO[bytes], *, size: int, at: datetime) -> HttpResponseBase:
    name = f"pictures-{timezone.localtime(at):%Y-%m-%d-%H%M}.zip"
    if not isinstance(getattr(request, "_request", request), ASGIRequest):
        return FileResponse(file, as_attachment=True, filename=name, content_type=MEDIA_TYPE)
    # Of an iterator that is not asynchronous, Django reads all chunks before it sends one.
    response = StreamingHttpResponse(
        _chunks(file),
        content_type=MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    response["Content-Length"] = str(size)
    return response


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    read = sync_to_async(file.read, thread_sensitive=False)
    try:
        while chunk := await read(_CHUNK):
            yield chunk
    finally:
        file.close()

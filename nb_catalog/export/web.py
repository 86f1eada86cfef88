"""Exports in one request of a web page or of the API: bounded, and sent from a file on the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from nb_catalog.exceptions import RequestRefused
from nb_catalog.export.archive import write_archive
from nb_catalog.export.planning import ExportPlan, plan_export
from nb_catalog.export.types import ExportedPicture, ExportOptions

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
                "fewer, or run “manage.py nb_export”, which has no limit."
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
    name = f"pictures-{timezone.localtime():%Y-%m-%d-%H%M}.zip"
    response: HttpResponseBase
    if isinstance(getattr(request, "_request", request), ASGIRequest):
        # Of an iterator that is not asynchronous, Django reads all chunks before it sends one.
        response = StreamingHttpResponse(
            _chunks(file),
            content_type=MEDIA_TYPE,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
        response["Content-Length"] = str(size)
    else:
        response = FileResponse(file, as_attachment=True, filename=name, content_type=MEDIA_TYPE)
    response["X-Left-Out"] = str(len(report.left_out))
    return response


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    read = sync_to_async(file.read, thread_sensitive=False)
    try:
        while chunk := await read(_CHUNK):
            yield chunk
    finally:
        file.close()

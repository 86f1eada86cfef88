"""Exports that a worker makes: any number of pictures up to a bound, one export at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from django.db import Error
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.conf import settings
from nb_catalog.exceptions import RequestRefused, StorageFailed
from nb_catalog.export.archive import write_archive
from nb_catalog.export.planning import plan_export
from nb_catalog.export.types import ExportedPicture, ExportOptions
from nb_catalog.models import Export
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.exports import ExportState

logger = logging.getLogger(__name__)

MOST: Final = 20_000
# How often a worker reports, and after how long without a report it is believed to be dead.
BEAT_SECONDS: Final = 2.0
LEASE: Final = timedelta(seconds=120)
# After that, a storage or a disk that failed is tried again.
RETRY: Final = timedelta(seconds=60)
# An export that ends its workers must not go on to do so.
MOST_ATTEMPTS: Final = 5
# Bytes a second.
SLOWEST_STORAGE: Final = 1_000_000


class _Lost(Exception):
    """The export was deleted or is another worker's by now, or this one is to stop."""


def request_export(
    pictures: Sequence[ExportedPicture], options: ExportOptions, *, actor: Any
) -> Export:
    """Have a worker make an export of ``pictures``. The caller wakes a worker.

    Raises ``RequestRefused`` as ``plan_export`` does, and for more than ``MOST`` pictures.
    """
    if len(pictures) > MOST:
        raise RequestRefused(
            _(
                "%(number)s pictures are too many for one export, which has at most %(most)s. Export them in "
                "parts, such as by slot or series, or run “manage.py nb_export”, which has no limit."
            )
            % {"number": len(pictures), "most": MOST}
        )
    plan = plan_export(pictures, options)
    return Export.objects.create(
        actor=actor,
        pictures=[list(file.picture) for file in plan.files],
        options=asdict(options),
        total=len(plan.files),
    )


def existing(*, actor: Any) -> QuerySet[Export]:
    """Return the exports of ``actor`` whose time is not over, whether or not a worker has deleted the others
    yet."""
    is_there = Q(expires_at=None) | Q(expires_at__gt=database_now())
    return Export.objects.filter(is_there, actor=actor)


def delete(export: Export) -> None:
    """Delete ``export`` with its file. A worker that writes it stops. Raises ``StorageFailed``."""
    row: Export | None = export
    while row is not None:
        if row.file:
            storage.delete(row.file)
        # Not if a worker has ended it since it was read: then there is a file.
        Export.objects.filter(pk=row.pk, file=row.file).delete()
        row = Export.objects.filter(pk=row.pk).first()


def make_requested(*, is_stopping: Callable[[], bool] = bool) -> int:
    """Make the exports that were requested, and delete expired ones; return how many were made.

    Any number of processes may call it at the same time. One that stops, or was killed, leaves its export to
    the next, which begins it again: its file is in the storage once it is complete, and never before.
    """
    for expired in Export.objects.filter(expires_at__lt=database_now()).order_by("pk"):
        try:
            delete(expired)
        except StorageFailed:
            logger.exception("Export %s could not be deleted; it is tried again.", expired.pk)
    made = 0
    while not is_stopping() and (export := _take()) is not None:
        made += _make(export, is_stopping=is_stopping)
    return made


def _take() -> Export | None:
    """Take the oldest export that no other process has."""
    while True:
        now = database_now()
        free = Export.objects.filter(
            Q(not_before=None) | Q(not_before__lt=now), state=ExportState.WAITING
        )
        key = free.order_by("pk").values_list("pk", flat=True).first()
        if key is None:
            return None
        token = uuid4().hex
        taken = {"token": token, "not_before": now + LEASE, "attempts": F("attempts") + 1}
        if free.filter(pk=key).update(**taken, done=0):
            return Export.objects.filter(pk=key, token=token).first()


def _make(export: Export, *, is_stopping: Callable[[], bool]) -> bool:
    mine = Export.objects.filter(pk=export.pk, token=export.token, state=ExportState.WAITING)
    if export.attempts > MOST_ATTEMPTS:
        _fail(mine, _("Every worker that made it ended. The log of the workers says more."))
        return False
    done, beat = 0, monotonic()

    def progress() -> None:
        nonlocal done, beat
        done += 1
        if is_stopping():
            raise _Lost
        if monotonic() - beat >= BEAT_SECONDS:
            beat = monotonic()
            if not mine.update(done=done, not_before=database_now() + LEASE):
                raise _Lost

    name = ""
    try:
        options = ExportOptions(**{**export.options, "channels": tuple(export.options["channels"])})
        plan = plan_export([ExportedPicture(*row) for row in export.pictures], options)
        directory = Path(settings.STAGING_DIR)
        directory.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=directory) as file:
            report = write_archive(plan, file, progress=progress)
            size = file.tell()
            file.seek(0)
            # The storage does not say how far it is.
            leased = database_now() + LEASE + timedelta(seconds=size / SLOWEST_STORAGE)
            if not mine.update(done=done, not_before=leased):
                raise _Lost
            name = storage.store_file(file, folder="exports", name=f"{export.token}.zip")
        now = database_now()
        if not mine.update(
            state=ExportState.READY, file=name, byte_size=size, done=len(plan.files),
            left_out=len(report.left_out), problem="", finished_at=now, not_before=None,
            expires_at=now + timedelta(days=settings.EXPORT_DAYS),
        ):  # fmt: skip
            raise _Lost
    except _Lost:
        if name:
            with suppress(StorageFailed):
                storage.delete(name)
        mine.update(not_before=None, attempts=F("attempts") - 1)
        return False
    except RequestRefused as error:
        _fail(mine, str(error))
        return False
    except Error:
        raise
    except Exception as error:  # noqa: BLE001 - a full disk, a storage, or the host's own code for names
        logger.exception("Export %s could not be made; it is tried again.", export.pk)
        # What a disk or foreign code says may have paths or addresses in it.
        problem = (
            str(error)
            if isinstance(error, StorageFailed)
            else _(
                "It could not be made (%(error)s) and is tried again. The log of the workers says more."
            )
            % {"error": type(error).__name__}
        )
        mine.update(problem=problem, not_before=database_now() + RETRY)
        return False
    return True


def _fail(mine: QuerySet[Export], problem: str) -> None:
    now = database_now()
    mine.update(
        state=ExportState.FAILED, problem=problem, finished_at=now, not_before=None,
        expires_at=now + timedelta(days=settings.EXPORT_DAYS),
    )  # fmt: skip

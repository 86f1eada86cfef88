"""Makes the files for web pages of many pictures, in a worker: several at a time, and by several workers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final, TypeAlias
from uuid import uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.exceptions import NBCatalogError, StorageFailed
from nb_catalog.models import ProductImage, Rendition, RenditionRequest
from nb_catalog.models.db.clock import database_now
from nb_catalog.publishing import renditions

logger = logging.getLogger(__name__)

# A picture takes some seconds, and a worker has twice as many as it has threads. Longer than they take: then
# it is believed to be dead, and another one makes the files.
LEASE: Final = timedelta(seconds=120)
# A storage that failed is asked again after that.
RETRY: Final = timedelta(seconds=60)

_Made: TypeAlias = "list[dict[str, Any]] | NBCatalogError"
# A picture that was taken, and its files, unless it has them already.
_Taken: TypeAlias = "tuple[RenditionRequest, Future[_Made] | None]"


def request_renditions(images: Sequence[ProductImage]) -> list[ProductImage]:
    """Have the missing files of ``images`` made by a worker, and return the pictures that lack some.

    What could not be made before is tried again. The caller wakes a worker.
    """
    missing = renditions.without_files(images)
    keys = [image.pk for image in missing]
    rows = RenditionRequest.objects.filter(image__in=keys)
    rows.filter(is_stopped=True).delete()
    rows.update(is_urgent=True)
    RenditionRequest.objects.bulk_create(
        [RenditionRequest(image_id=key, is_urgent=True) for key in keys],
        ignore_conflicts=True,
        batch_size=renditions.BLOCK,
    )
    return missing


def request_ahead(image: ProductImage) -> None:
    """Have the files of an approved ``image`` made when workers have nothing urgent to do, so that nobody
    waits for them when it is published. One query, and no wake-up."""
    RenditionRequest.objects.bulk_create([RenditionRequest(image=image)], ignore_conflicts=True)


def make_requested(
    *, seconds: float | None = None, on_stored: Callable[[], object] = lambda: None
) -> int:
    """Make the files that were requested, until ``seconds`` have passed; return for how many pictures.

    Any number of processes may call it at the same time: each takes pictures that no other has. A picture
    that cannot be read is marked, with the reason; a storage that fails is tried again later. ``on_stored``
    is called each time some are stored.
    """
    if not is_waiting():
        return 0
    end = float("inf") if seconds is None else time.monotonic() + seconds
    threads, done = settings.FREE_THREADS, 0
    before: list[_Taken] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="nb-catalog-renditions") as pool:
        while True:
            taken = _take(threads, token=uuid4().hex) if time.monotonic() < end else []
            missing = renditions.without_files([request.image for request in taken])
            made = {image.pk: pool.submit(_files_of, image) for image in missing}
            # Those before are stored while the next ones are encoded: no thread waits for the database.
            if before:
                done += _store(before)
                on_stored()
            before = [(request, made.get(request.image_id)) for request in taken]
            if not before:
                return done


def is_waiting() -> bool:
    """Return whether files wait to be made now."""
    return _waiting().exists()


def _waiting() -> QuerySet[RenditionRequest]:
    is_free = Q(not_before=None) | Q(not_before__lt=database_now())
    return RenditionRequest.objects.filter(is_free, is_stopped=False)


def _take(number: int, *, token: str) -> list[RenditionRequest]:
    """Take ``number`` pictures that no other process has; fewer if another one takes some of them at the same
    moment."""
    order = ("-is_urgent", "requested_at", "pk")
    while keys := list(_waiting().order_by(*order).values_list("pk", flat=True)[:number]):
        free = _waiting().filter(pk__in=keys)
        if free.update(token=token, not_before=database_now() + LEASE):
            mine = RenditionRequest.objects.filter(token=token)
            return list(mine.select_related("image").order_by("pk"))
    return []


def _files_of(image: ProductImage) -> _Made:
    try:
        return renditions.files_of(image)
    except NBCatalogError as error:
        logger.warning("Files of picture %s could not be made: %s", image.pk, error)
        return error
    except Exception as error:  # noqa: BLE001 - one picture's decoder or storage must not stop the others
        logger.exception("Files of picture %s could not be made.", image.pk)
        problem = _("Its files could not be made (%(error)s). The worker’s log says more.")
        return NBCatalogError(problem % {"error": type(error).__name__})


def _store(taken: Iterable[_Taken]) -> int:
    """Store the rows of the files that were made, and why others were not; return how many pictures have
    theirs."""
    made: list[Rendition] = []
    finished: list[int] = []
    problems: list[RenditionRequest] = []
    for request, future in taken:
        result = [] if future is None else future.result()
        if isinstance(result, NBCatalogError):
            request.problem = str(result)
            request.is_stopped = not isinstance(result, StorageFailed)
            request.not_before = None if request.is_stopped else database_now() + RETRY
            problems.append(request)
        else:
            made += [Rendition(image_id=request.image_id, **columns) for columns in result]
            finished.append(request.image_id)
    with transaction.atomic():
        Rendition.objects.bulk_create(made, ignore_conflicts=True)
        RenditionRequest.objects.filter(pk__in=finished).delete()
        for request in problems:
            # Only while it is this process's: another one may have made the files since.
            RenditionRequest.objects.filter(pk=request.pk, token=request.token).update(
                problem=request.problem,
                is_stopped=request.is_stopped,
                not_before=request.not_before,
            )
    return len(finished)

"""Claims jobs from the queue, and gives them back."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import Error, models, transaction
from django.db.models import F

from nb_catalog import ratelimit
from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.states import JobState
from nb_catalog.core.types import Photo, RequestMode
from nb_catalog.exceptions import ObjectGone, PictureMissing, RegistryError, SpecUnreadable
from nb_catalog.models import ImageJob
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.transitions import transition_jobs
from nb_catalog.registry import all_photos, is_registered, source_for
from nb_catalog.signals import events
from nb_catalog.worker import cutouts, finals, queue, series, texts
from nb_catalog.worker.bundles import bundles_with_photos
from nb_catalog.worker.types import ClaimedJob

logger = logging.getLogger(__name__)


# A job, and when its call may go by this process's monotonic clock.
TimedJob = tuple[ImageJob, float | None]


def claim(*, owner: str, limit: int, free: bool) -> list[ClaimedJob]:
    """Claim up to ``limit`` queued jobs for ``owner``, either free or paid ones, the most urgent first,
    and no more than the rate limits allow."""
    return with_photos(claim_rows(owner=owner, limit=limit, free=free))


@transaction.atomic
def claim_rows(*, owner: str, limit: int, free: bool) -> list[ClaimedJob]:
    """Run the transaction of a claim. Photos are looked up after it, because others wait for its
    locks."""
    if free:
        rows: list[TimedJob] = [(row, None) for row in queue.next_jobs(limit, free=True)]
    else:
        rows = _next_within_limits(limit)
    jobs = [
        job
        for row, goes_at in rows
        if (job := readable_job(row, owner=owner, goes_at=goes_at)) is not None
    ]
    if jobs:
        transition_jobs(
            ImageJob.objects.filter(pk__in=[job.job_id for job in jobs]),
            "claim",
            lease_owner=owner,
            lease_until=lease_end(),
            epoch=F("epoch") + 1,
            attempts=F("attempts") + 1,
        )
    return jobs


def readable_job(row: ImageJob, *, owner: str, goes_at: float | None = None) -> ClaimedJob | None:
    """Return ``row`` as it is after its claim. If its spec cannot be read, it fails alone and unsent.

    Call it in the transaction that has locked the row.
    """
    try:
        return claimed_job(row, owner=owner, goes_at=goes_at)
    except SpecUnreadable as error:
        logger.error("Job %s: %s", row.pk, error, extra=logs.fields(job=row.pk))
        transition_jobs(
            ImageJob.objects.filter(pk=row.pk),
            "give_up",
            error_code=error.code,
            error=f"{error} Plan its picture again.",
            finished_at=database_now(),
        )
        events.send_job_failed([row.pk], state=JobState.FAILED, error_code=error.code)
        return None


def _next_within_limits(limit: int) -> list[TimedJob]:
    """Return paid jobs, and when the call of each may go. A model that has no slot left does not hold
    up what is queued for others behind it."""
    limiter = ratelimit.Limiter()
    rows: list[TimedJob] = []
    while (missing := limit - len(rows)) > 0:
        taken = frozenset(row.pk for row, _ in rows)
        candidates = queue.next_jobs(missing, free=False, closed=limiter.full(), taken=taken)
        by_model: dict[tuple[str, str], list[ImageJob]] = defaultdict(list)
        for row in candidates:
            by_model[row.provider, row.model].append(row)
        let_through = [
            (row, _goes_at(wait, limiter))
            for key, group in sorted(by_model.items())
            for row, wait in zip(group, limiter.take(*key, wanted=len(group)), strict=False)
        ]
        rows += let_through
        if len(let_through) == len(candidates):
            break
    limiter.write()
    return rows


def another_slot(job: ClaimedJob) -> ClaimedJob | None:
    """Return ``job`` with a new slot in place of one that has passed; None if there is none."""
    with transaction.atomic():
        limiter = ratelimit.Limiter()
        waits = limiter.take_again(job.spec.provider, job.spec.model)
        limiter.write()
    return replace(job, goes_at=_goes_at(waits[0], limiter)) if waits else None


def _goes_at(wait: ratelimit.Wait, limiter: ratelimit.Limiter) -> float | None:
    return None if wait is None else limiter.monotonic + wait.total_seconds()


def lease_end() -> datetime:
    return database_now() + timedelta(seconds=settings.LEASE_SECONDS)


def claimed_job(row: ImageJob, *, owner: str, goes_at: float | None = None) -> ClaimedJob:
    """Return ``row``, read before the claim, as it is after it. Raises ``SpecUnreadable``."""
    return ClaimedJob(
        job_id=row.pk,
        run_id=row.run_id,
        epoch=row.epoch + 1,
        owner=owner,
        content_type_id=row.content_type_id,
        object_id=row.object_id,
        spec=row.wanted,
        fingerprint=row.fingerprint,
        tier=row.tier,
        attempts=row.attempts + 1,
        is_free=row.is_free,
        estimate_microusd=row.estimate_microusd,
        in_batch=row.mode == RequestMode.BATCH,
        goes_at=goes_at,
    )


def with_photos(jobs: Iterable[ClaimedJob]) -> list[ClaimedJob]:
    """Look up the photos, their cut-outs, the anchors of series and the drafts of finals: one query per
    model, and one or two for each of the others."""
    jobs = list(jobs)
    about_texts: list[ClaimedJob] = []
    for job in jobs:
        if not job.requests_texts:
            continue
        try:
            about_texts.append(replace(job, photo=texts.photo_for(job)))
        except Error:
            raise
        except Exception:  # noqa: BLE001 - the host's own code; the request does without the photo
            logger.exception("The photo of job %s cannot be looked up.", job.job_id)
            about_texts.append(job)
    jobs = [job for job in jobs if not job.requests_texts]
    # An adjusted picture of a bundle is made of the picture, not of its parts.
    bundles = [job for job in jobs if job.image_spec.parts and not job.image_spec.is_adjusted]
    others = [job for job in jobs if not job.image_spec.parts or job.image_spec.is_adjusted]
    about_pictures = _looked_up(others)
    if bundles:
        about_pictures += bundles_with_photos(bundles, look_up=_looked_up)
    return about_texts + finals.with_drafts(series.with_anchors(about_pictures))


def _looked_up(jobs: Sequence[ClaimedJob]) -> list[ClaimedJob]:
    by_type: dict[int, list[ClaimedJob]] = defaultdict(list)
    for job in jobs:
        by_type[job.content_type_id].append(job)
    found = [
        job
        for type_id, group in by_type.items()
        for job in _with_photos_of(ContentType.objects.get_for_id(type_id).model_class(), group)
    ]
    return cutouts.with_stored_cutouts(found)


def _with_photos_of(model: type[models.Model] | None, jobs: list[ClaimedJob]) -> list[ClaimedJob]:
    if model is None or not is_registered(model):
        gone = ObjectGone("The model of this product is not registered any more.")
        return [replace(job, problem=gone) for job in jobs]
    try:
        products = source_for(model).queryset().in_bulk([job.object_id for job in jobs])
    except Error:
        raise
    except Exception as error:  # noqa: BLE001 - the host's own code, about this one model
        logger.exception("The products of model %s cannot be read.", model._meta.label)
        problem = _host_error(error, what="products")
        return [replace(job, problem=problem) for job in jobs]
    by_key = {str(key): product for key, product in products.items()}
    return [_with_photo(job, by_key.get(job.object_id)) for job in jobs]


def _with_photo(job: ClaimedJob, product: models.Model | None) -> ClaimedJob:
    if product is None:
        gone = ObjectGone("The product was deleted while its picture waited to be made.")
        return replace(job, problem=gone)
    if job.image_spec.sets_text:
        return replace(job, photo=Photo(name=job.image_spec.photo, storage=settings.STORAGE))
    try:
        photos = all_photos(product)
    except Error:
        raise
    except Exception as error:  # noqa: BLE001 - the host's own code, about this one product
        logger.exception(
            "The photos of the product of job %s cannot be read.",
            job.job_id,
            extra=logs.fields(**job.labels),
        )
        return replace(job, problem=_host_error(error, what="product's photos"))
    for photo in photos:
        if photo.name == job.image_spec.photo:
            return replace(job, photo=photo)
    if job.image_spec.is_adjusted:
        return job
    missing = PictureMissing(
        f"The product no longer has the photo {job.image_spec.photo!r}. Plan its pictures again."
    )
    return replace(job, problem=missing)


def _host_error(error: Exception, *, what: str) -> PictureMissing:
    # What the host's code raised stands behind our own error.
    broke = error.__cause__ if isinstance(error, RegistryError) and error.__cause__ else error
    return PictureMissing(
        f"The shop's own code broke with {type(broke).__name__} while it looked for the {what}."
    )


def hand_back(jobs: Iterable[ClaimedJob]) -> None:
    """Queue jobs again for which nothing was sent. The attempt does not count."""
    transition_jobs(still_owned(jobs), "hand_back", lease_owner="", attempts=F("attempts") - 1)


def still_owned(jobs: Iterable[ClaimedJob]) -> models.QuerySet[ImageJob]:
    """Return the rows of ``jobs`` that still belong to their workers in their epochs."""
    by_fence: dict[tuple[str, int], list[int]] = defaultdict(list)
    for job in jobs:
        by_fence[job.owner, job.epoch].append(job.job_id)
    rows = ImageJob.objects.none()
    for (owner, epoch), keys in by_fence.items():
        rows = rows | ImageJob.objects.filter(pk__in=keys, lease_owner=owner, epoch=epoch)
    return rows


def heartbeat(jobs: Iterable[ClaimedJob]) -> None:
    """Renew the leases of exactly ``jobs``."""
    by_owner: dict[str, set[int]] = defaultdict(set)
    for job in jobs:
        by_owner[job.owner].add(job.job_id)
    for owner, keys in by_owner.items():
        ImageJob.objects.filter(
            pk__in=keys,
            lease_owner=owner,
            state__in=(JobState.LEASED, JobState.CALLING),
        ).update(lease_until=lease_end())

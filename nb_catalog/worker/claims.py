"""Taking jobs from the queue, and giving them back."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, models, transaction
from django.db.models import F

from nb_catalog import ratelimit
from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.states import JobState
from nb_catalog.core.types import Photo, RequestMode
from nb_catalog.exceptions import NBCatalogError, ObjectGone, PictureMissing
from nb_catalog.models import ImageJob
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.transitions import transition_jobs
from nb_catalog.registry import is_registered, source_for
from nb_catalog.worker import queue
from nb_catalog.worker.queue import Row
from nb_catalog.worker.types import ClaimedJob

logger = logging.getLogger(__name__)


# A job, and when its call may go by this process's monotonic clock.
Chosen = tuple[Row, float | None]


def claim(*, owner: str, limit: int, free: bool) -> list[ClaimedJob]:
    """Take up to ``limit`` queued jobs of one lane for ``owner``, the most urgent first, and no more
    than the throttle lets through."""
    chosen = take(owner=owner, limit=limit, free=free)
    return with_photos([claimed_job(job, owner=owner, goes_at=goes_at) for job, goes_at in chosen])


@transaction.atomic
def take(*, owner: str, limit: int, free: bool) -> list[Chosen]:
    """The transaction of a claim. Recipes are read and photos looked up after it: others wait for
    what it holds."""
    chosen = _first(limit) if free else _let_through(limit)
    if chosen:
        transition_jobs(
            ImageJob.objects.filter(pk__in=[job.pk for job, _when in chosen]),
            "claim",
            lease_owner=owner,
            lease_until=lease_end(),
            epoch=F("epoch") + 1,
            attempts=F("attempts") + 1,
        )
    return chosen


def another_slot(order: ClaimedJob) -> ClaimedJob | None:
    """``order`` with a new slot in place of one that has passed; None when there is none."""
    with transaction.atomic():
        gates = ratelimit.Limiter()
        waits = gates.take_again(order.spec.provider, order.spec.model)
        gates.write()
    return replace(order, goes_at=_goes_at(waits[0], gates)) if waits else None


def _goes_at(wait: ratelimit.Wait, gates: ratelimit.Limiter) -> float | None:
    return None if wait is None else gates.monotonic + wait.total_seconds()


def _first(limit: int) -> list[Chosen]:
    return [(job, None) for job in queue.next_rows(limit, free=True)]


def _let_through(limit: int) -> list[Chosen]:
    """Paid jobs, and when the call of each may go. A model that has no slot left does not hold up
    what is queued for others behind it."""
    gates = ratelimit.Limiter()
    chosen: list[Chosen] = []
    while (missing := limit - len(chosen)) > 0:
        taken = frozenset(job.pk for job, _when in chosen)
        jobs = queue.next_rows(missing, free=False, closed=gates.full(), taken=taken)
        by_model: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for job in jobs:
            by_model[job.provider, job.model].append(job)
        let_through = [
            (job, _goes_at(wait, gates))
            for key, group in sorted(by_model.items())
            for job, wait in zip(group, gates.take(*key, wanted=len(group)), strict=False)
        ]
        chosen += let_through
        if len(let_through) == len(jobs):
            break
    gates.write()
    return chosen


def lease_end() -> Any:
    return database_now() + timedelta(seconds=settings.LEASE_SECONDS)


def claimed_job(job: ImageJob | Row, *, owner: str, goes_at: float | None = None) -> ClaimedJob:
    return ClaimedJob(
        job_id=job.pk,
        run_id=job.run_id,
        epoch=job.epoch + 1,
        owner=owner,
        content_type_id=job.content_type_id,
        object_id=job.object_id,
        spec=job.wanted,
        fingerprint=job.fingerprint,
        tier=job.tier,
        attempts=job.attempts + 1,
        is_free=job.is_free,
        estimate_microusd=job.estimate_microusd,
        in_batch=job.mode == RequestMode.BATCH,
        goes_at=goes_at,
    )


def with_photos(orders: Iterable[ClaimedJob]) -> list[ClaimedJob]:
    """Look the photos up: one query a model, however many orders."""
    by_type: dict[int, list[ClaimedJob]] = defaultdict(list)
    for order in orders:
        by_type[order.content_type_id].append(order)
    return [
        each
        for type_id, group in by_type.items()
        for each in _with_photos_of(ContentType.objects.get_for_id(type_id).model_class(), group)
    ]


def _with_photos_of(model: type[models.Model] | None, orders: list[ClaimedJob]) -> list[ClaimedJob]:
    if model is None or not is_registered(model):
        gone = ObjectGone("The model of this product is not registered any more.")
        return [replace(order, problem=gone) for order in orders]
    try:
        products = source_for(model).queryset().in_bulk([order.object_id for order in orders])
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - the host's own code, about this one model
        logger.exception("The products of model %s cannot be read.", model._meta.label)
        broken = _broken(error, what="products")
        return [replace(order, problem=broken) for order in orders]
    by_key = {str(key): product for key, product in products.items()}
    return [_with_photo(order, by_key.get(order.object_id)) for order in orders]


def _with_photo(order: ClaimedJob, product: models.Model | None) -> ClaimedJob:
    problem: NBCatalogError
    if product is None:
        problem = ObjectGone("The product was deleted while its picture waited to be made.")
        return replace(order, problem=problem)
    if order.spec.sets_words:
        picture = order.spec.photo
        return replace(order, photo=Photo(name=picture, storage=settings.STORAGE))
    try:
        photos = source_for(product).photos(product)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - the host's own code, about this one product
        logger.exception(
            "The photos of the product of job %s cannot be read.",
            order.job_id,
            extra=logs.fields(**order.labels),
        )
        return replace(order, problem=_broken(error, what="product's photos"))
    wanted = order.spec.photo
    photo = next((each for each in photos if each.name == wanted), None)
    if photo is None:
        problem = PictureMissing(
            f"The product no longer has the photo {order.spec.photo!r}. Plan its pictures anew."
        )
        return replace(order, problem=problem)
    return replace(order, photo=photo)


def _broken(error: Exception, *, what: str) -> PictureMissing:
    return PictureMissing(
        f"The shop's own code broke with {type(error).__name__} while it looked for the {what}."
    )


def hand_back(orders: Iterable[ClaimedJob]) -> None:
    """Put orders back that nothing was sent for. The try does not count."""
    transition_jobs(still_owned(orders), "hand_back", lease_owner="", attempts=F("attempts") - 1)


def still_owned(orders: Iterable[ClaimedJob]) -> models.QuerySet[ImageJob]:
    """The jobs of ``orders`` that are still their workers' in their epochs."""
    by_fence: dict[tuple[str, int], list[int]] = defaultdict(list)
    for order in orders:
        by_fence[order.owner, order.epoch].append(order.job_id)
    jobs = ImageJob.objects.none()
    for (owner, epoch), keys in by_fence.items():
        jobs = jobs | ImageJob.objects.filter(pk__in=keys, lease_owner=owner, epoch=epoch)
    return jobs


def heartbeat(orders: Iterable[ClaimedJob]) -> None:
    """Renew the leases of what is really in hand, and of nothing else."""
    keys = {(order.owner, order.job_id) for order in orders}
    for owner in {owner for owner, _ in keys}:
        ImageJob.objects.filter(
            pk__in=[job for who, job in keys if who == owner],
            lease_owner=owner,
            state__in=(JobState.LEASED, JobState.CALLING),
        ).update(lease_until=lease_end())

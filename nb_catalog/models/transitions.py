"""Moves of jobs, images and batches: one conditional UPDATE each, as the tables in ``states`` say."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F

from nb_catalog.core.states import (
    BATCH_TRANSITIONS,
    IMAGE_TRANSITIONS,
    JOB_LIVE,
    JOB_TRANSITIONS,
    JobState,
)
from nb_catalog.exceptions import InvalidTransition
from nb_catalog.models.batches import ProviderBatch
from nb_catalog.models.images import ProductImage
from nb_catalog.models.jobs import ImageJob


def transition_jobs(jobs: models.QuerySet[ImageJob], move: str, **changes: Any) -> int:
    """Move those of ``jobs`` that may make ``move``; how many did.

    A job keeps its live key while it holds its place; a retry takes it again, which raises
    ``IntegrityError`` when another job for the same picture has it meanwhile.
    """
    sources, target = JOB_TRANSITIONS[move]
    held, holds = JOB_LIVE.issuperset(sources), target in JOB_LIVE
    if not (held and holds):
        changes.setdefault("live_key", F("fingerprint") if holds else None)
    if JobState.WAITING in sources:
        changes.setdefault("not_before", None)
    return jobs.filter(state__in=sources).update(state=target, **changes)


def transition_batch(batch: ProviderBatch, move: str, **changes: Any) -> None:
    """Move ``batch``, as long as it is still its holder's in this epoch.

    Raises ``InvalidTransition`` when somebody else holds it now, or has moved it.
    """
    sources, target = BATCH_TRANSITIONS[move]
    rows = ProviderBatch.objects.filter(
        pk=batch.pk, lease_owner=batch.lease_owner, epoch=batch.epoch, state__in=sources
    )
    if not rows.update(state=target, **changes):
        raise InvalidTransition(f"Cannot {move} batch {batch.name}: somebody else works on it now.")
    for name, value in {"state": target, **changes}.items():
        setattr(batch, name, value)


def transition_image(image: ProductImage, move: str) -> None:
    """Move ``image`` and refresh its state. Raises ``InvalidTransition`` when somebody was faster."""
    sources, target = IMAGE_TRANSITIONS[move]
    moved = ProductImage.objects.filter(pk=image.pk, state__in=sources).update(state=target)
    if not moved:
        image.refresh_from_db(fields=["state"])
        raise InvalidTransition(
            f"Cannot {move} picture {image.pk}: it is {image.get_state_display().lower()} now. "
            f"Reload the page to see who decided."
        )
    image.state = target


def lock_image(image: ProductImage) -> str:
    """The state of ``image`` as it is now, and as it stays until the transaction ends.

    Empty when the row is gone. Call it inside a transaction.
    """
    rows = ProductImage.objects.filter(pk=image.pk).select_for_update()
    return next(iter(rows.values_list("state", flat=True)), "")

"""Moves of jobs and images: one conditional UPDATE each, as the tables in ``states`` say."""

from __future__ import annotations

from typing import Any

from django.db import connection, models
from django.db.models import F

from nb_catalog.exceptions import IllegalMove
from nb_catalog.models.images import ProductImage
from nb_catalog.models.jobs import ImageJob
from nb_catalog.states import IMAGE_MOVES, JOB_HOLDS_ITS_PLACE, JOB_MOVES


def move_jobs(jobs: models.QuerySet[ImageJob], move: str, **changes: Any) -> int:
    """Move those of ``jobs`` that may make ``move``; how many did.

    A job keeps its live key while it holds its place; a retry takes it again, which raises
    ``IntegrityError`` when another job for the same picture has it meanwhile.
    """
    sources, target = JOB_MOVES[move]
    holds = target in JOB_HOLDS_ITS_PLACE
    changes.setdefault("live_key", F("fingerprint") if holds else None)
    return jobs.filter(state__in=sources).update(state=target, **changes)


def move_image(image: ProductImage, move: str) -> None:
    """Move ``image`` and refresh its state. Raises ``IllegalMove`` when somebody was faster."""
    sources, target = IMAGE_MOVES[move]
    moved = ProductImage.objects.filter(pk=image.pk, state__in=sources).update(state=target)
    if not moved:
        image.refresh_from_db(fields=["state"])
        raise IllegalMove(
            f"Cannot {move} picture {image.pk}: it is {image.get_state_display().lower()} now. "
            f"Reload the page to see who decided."
        )
    image.state = target


def hold_image(image: ProductImage) -> str:
    """The state of ``image`` as it is now, and as it stays until the transaction ends.

    Empty when the row is gone. Call it inside a transaction.
    """
    rows = ProductImage.objects.filter(pk=image.pk)
    if connection.features.has_select_for_update:
        rows = rows.select_for_update()
    return next(iter(rows.values_list("state", flat=True)), "")

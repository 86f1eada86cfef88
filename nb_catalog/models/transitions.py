"""Transitions of jobs, images and batches: one conditional UPDATE each, as in ``core.states``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from django.db import models
from django.db.models import F
from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.states import (
    BATCH_TRANSITIONS,
    IMAGE_TRANSITIONS,
    JOB_LIVE,
    JOB_TRANSITIONS,
    JobState,
)
from nb_catalog.exceptions import InvalidTransition
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.images import ProductImage, ReviewEvent
from nb_catalog.models.jobs import ImageJob, ProviderBatch, Run

_TOO_LATE: Final = {
    "approve": _("Cannot approve picture %(pk)s: it is %(state)s now."),
    "reject": _("Cannot reject picture %(pk)s: it is %(state)s now."),
    "reconsider": _("Cannot reconsider picture %(pk)s: it is %(state)s now."),
    "retire": _("Cannot retire picture %(pk)s: it is %(state)s now."),
    "pass_over": _("Cannot pass over picture %(pk)s: it is %(state)s now."),
    "restore": _("Cannot restore picture %(pk)s: it is %(state)s now."),
    "publish": _("Cannot publish picture %(pk)s: it is %(state)s now."),
}


def transition_jobs(jobs: models.QuerySet[ImageJob], move: str, **changes: Any) -> int:
    """Make the transition ``move`` for those of ``jobs`` that are in one of its sources. Return how many.

    A job has its live key while it is live; a retry sets it again, which raises ``IntegrityError``
    if another job for the same picture has it by now.
    """
    sources, target = JOB_TRANSITIONS[move]
    was_live, is_live = JOB_LIVE.issuperset(sources), target in JOB_LIVE
    if not (was_live and is_live):
        changes.setdefault("live_key", F("fingerprint") if is_live else None)
    if JobState.WAITING in sources:
        changes.setdefault("not_before", None)
    return jobs.filter(state__in=sources).update(state=target, **changes)


def reopen_runs(keys: Collection[int]) -> None:
    """Have the end of the runs with these keys reported again: jobs of theirs that had ended go on."""
    Run.objects.filter(pk__in=keys).update(next_look_at=database_now())


def transition_batch(batch: ProviderBatch, move: str, **changes: Any) -> None:
    """Make the transition ``move``, provided that ``batch`` is still held in this epoch.

    Raises ``InvalidTransition`` if another worker holds or has moved it.
    """
    sources, target = BATCH_TRANSITIONS[move]
    rows = ProviderBatch.objects.filter(
        pk=batch.pk, lease_owner=batch.lease_owner, epoch=batch.epoch, state__in=sources
    )
    if not rows.update(state=target, **changes):
        raise InvalidTransition(
            f"Cannot {move} batch {batch.name}: another worker has taken it over."
        )
    for name, value in {"state": target, **changes}.items():
        setattr(batch, name, value)


def transition_image(image: ProductImage, move: str) -> None:
    """Make the transition ``move`` and update ``image.state``. Raises ``InvalidTransition`` if someone
    else has decided before."""
    sources, target = IMAGE_TRANSITIONS[move]
    moved = ProductImage.objects.filter(pk=image.pk, state__in=sources).update(state=target)
    if not moved:
        image.refresh_from_db(fields=["state"])
        raise too_late(image, move)
    image.state = target


def too_late(image: ProductImage, move: str) -> InvalidTransition:
    """Return the error of a transition that the state of ``image`` does not allow: who decided, and when."""
    message = _TOO_LATE[move] % {"pk": image.pk, "state": image.get_state_display().lower()}
    return InvalidTransition(f"{message} {last_decision(image)}".strip())


def last_decision(image: ProductImage) -> str:
    """Return who decided last about ``image``, and when, as a sentence; "" if nobody did."""
    events = ReviewEvent.objects.filter(image=image).select_related("actor")
    event = events.order_by("-id").first()
    if event is None:
        return ""
    at = localtime(event.at) if is_aware(event.at) else event.at
    # The sentence has its own full stop after "p.m.".
    values = {"when": date_format(at, "DATETIME_FORMAT").rstrip(".")}
    if event.actor is None:
        return gettext("It was decided without a person on %(when)s.") % values
    return gettext("%(name)s decided on %(when)s.") % {**values, "name": event.actor.get_username()}


def lock_image(image: ProductImage) -> str:
    """Lock the row of ``image`` until the transaction ends, and return its current state.

    Returns "" if the row is gone. Call it inside a transaction.
    """
    rows = ProductImage.objects.filter(pk=image.pk).select_for_update()
    return next(iter(rows.values_list("state", flat=True)), "")

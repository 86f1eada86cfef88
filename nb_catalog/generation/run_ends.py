"""Finds runs whose last job has ended, and reports each once."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from nb_catalog.core.event_types import EventType
from nb_catalog.core.states import JOB_UNDERWAY
from nb_catalog.generation import job_counts
from nb_catalog.generation.progress import RunState
from nb_catalog.models import ImageJob, Run
from nb_catalog.models.db.clock import database_now
from nb_catalog.signals import events

# Runs that are looked at in one go.
MOST: Final = 50
# A run is looked at after a hundredth of its age, within these bounds: its end is reported about as late.
SOONEST: Final = timedelta(seconds=2)
LATEST: Final = timedelta(minutes=1)


def report_due() -> int:
    """Report the runs that have ended, and return how many. Any number of processes may call it at once.

    A run has ended, too, if it was cancelled, and if its jobs could not all be written.
    """
    now = database_now()
    underway = ImageJob.objects.filter(run=OuterRef("pk"), state__in=JOB_UNDERWAY)
    # A young run is looked at each time: a worker that only drains the queue looks once more at its end.
    due = Run.objects.filter(next_look_at__lte=now + SOONEST).order_by("next_look_at")
    # The first of its jobs is enough: a run may have many.
    runs = list(due.select_related("start").annotate(is_underway=Exists(underway))[:MOST])
    ended = [
        run for run in runs if not run.is_underway and (run.starting is None or run.starting.error)
    ]
    reported = 0
    counts = job_counts.counts_for(ended) if ended else {}
    for run in ended:
        with transaction.atomic():
            # Unless another process, or a retry, was faster.
            same = Run.objects.filter(pk=run.pk, next_look_at=run.next_look_at)
            if not same.update(next_look_at=None):
                continue
            facts = {
                "run": run.pk,
                "state": (RunState.FINISHED if run.starting is None else RunState.STOPPED).value,
                "cancelled": run.cancelled_at is not None,
                "counts": {str(state): number for state, number in counts[run.pk].items()},
                "resource": f"runs/{run.pk}/",
            }
            events.record(EventType.RUN_ENDED, [facts])
        reported += 1
    for run in runs:
        if run not in ended:
            wait = min(LATEST, max(SOONEST, (now - run.created_at) / 100))
            same = Run.objects.filter(pk=run.pk, next_look_at=run.next_look_at)
            same.update(next_look_at=now + wait)
    return reported

"""The only module that talks to a task queue. A task is only a wake-up: the jobs are in our own table.

Django 6 has ``django.tasks``; on 5.2 the ``django-tasks`` package has the same under another
name. Celery is an extra. Without any of them, or without a worker of theirs, ``manage.py nb_worker``
does the work.

One queued message is enough, however many runs are started: the slice of work that it begins claims
whatever is queued. So the time of sending is stored in a row (``WakeUp``), and nothing more is sent
until a slice begins, which clears the row before it claims its first job. A run that saw the row set
has committed its jobs before that, so the slice finds them: no wake-up is missed. A message that was
lost keeps back others for ``LOST_AFTER`` at most. The row is in the database because the cache may be
a process's own, in which a worker could not clear what a web request has set.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import django
from django.db import connection, transaction
from django.utils.module_loading import import_string

from nb_catalog import webhooks
from nb_catalog.conf import settings
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.models import WakeUp
from nb_catalog.models.db.clock import database_now
from nb_catalog.worker import Worker, work_is_waiting

logger = logging.getLogger(__name__)

if django.VERSION >= (6, 0):
    from django.tasks import task, task_backends
    from django.tasks.backends.immediate import ImmediateBackend
else:
    try:
        from django_tasks import task, task_backends  # type: ignore[assignment,no-redef]
        from django_tasks.backends.immediate import (  # type: ignore[assignment]
            ImmediateBackend,
        )
    except ImportError:
        task = None  # type: ignore[assignment]

try:
    from celery import shared_task  # type: ignore[import-untyped]
except ImportError:
    shared_task = None

# A message that has not begun a slice by then may be lost. One that only waits for its turn is doubled,
# which does no harm.
LOST_AFTER: Final = timedelta(seconds=60)
ROW: Final = 1
# What else is done at the end of a slice, by its name, like a plug-in: it is on a higher floor.
UPKEEP: Final = "nb_catalog.publishing.upkeep.run_due"

if task is not None:
    # Where it is declared hardly matters, ``TASK_BACKEND`` is read when it is enqueued. Django's default
    # alias would not import in a project without one.
    @task(backend=min(task_backends, key=lambda alias: alias != "default"))
    def work_a_while() -> int:
        """Work for ``WAKE_SECONDS`` and send a wake-up if something is still queued."""
        # Building a batch takes minutes: a web request must not wait for that.
        done, more = _work(batches=not is_immediate_backend())
        # The immediate backend would run the next slice inside this one.
        if (more or work_is_waiting()) and not is_immediate_backend():
            _enqueue()
        return done


if shared_task is not None:
    # Celery must not repeat a task on its own: with late acknowledgement and a visibility timeout it
    # would start a slice that is still running a second time.
    @shared_task(  # type: ignore[untyped-decorator]
        name="nb_catalog.work_a_while", ignore_result=True, acks_late=False
    )
    def work_a_while_in_celery() -> None:
        """The same as a Celery task."""
        _, more = _work(batches=True)
        if more or work_is_waiting():
            _send_to_celery()


def wake_up() -> None:
    """Send a wake-up when the current transaction commits, as ``WAKE_UP`` says, unless one is queued.

    By default none goes to the immediate backend, which would generate the pictures inside the request.
    A queue that is unreachable is logged: the jobs wait in our own table.
    """
    if settings.WAKE_UP == "celery":
        transaction.on_commit(_send_to_celery, robust=True)
    elif settings.WAKE_UP in ("auto", "tasks") and task is not None:
        transaction.on_commit(_enqueue, robust=True)


def is_immediate_backend() -> bool:
    """Return whether the configured backend works inside the request that wakes it."""
    return (
        settings.WAKE_UP in ("auto", "tasks")
        and task is not None
        and isinstance(task_backends[settings.TASK_BACKEND], ImmediateBackend)
    )


def _enqueue() -> None:
    if is_immediate_backend():
        if settings.WAKE_UP == "auto":
            # Django's default backend, which hardly anybody has chosen: nb_worker finds the jobs.
            return
        if connection.in_atomic_block:
            # Inside a test's transaction, for example: the worker's own connection would see nothing.
            logger.warning("Queued jobs were not worked on: the immediate backend needs a commit.")
            return
    _send_unless_queued(work_a_while.using(backend=settings.TASK_BACKEND).enqueue)


def _send_to_celery() -> None:
    if shared_task is None:
        raise InvalidSettings(
            "Celery is not installed: pip install 'nb-catalog[celery]'.",
            path="NB_CATALOG['WAKE_UP']",
        )
    _send_unless_queued(work_a_while_in_celery.delay)


def _send_unless_queued(send: Callable[[], object]) -> None:
    now = database_now()
    WakeUp.objects.get_or_create(pk=ROW)
    # The upper bound: a clock that was set back would otherwise keep the row set for long.
    queued = (now - LOST_AFTER, now + LOST_AFTER)
    if not WakeUp.objects.filter(pk=ROW).exclude(queued_at__range=queued).update(queued_at=now):
        return
    try:
        send()
    except BaseException:
        WakeUp.objects.filter(pk=ROW).update(queued_at=None)
        raise


def _work(*, batches: bool) -> tuple[int, bool]:
    """Work for a slice of time. Return how many jobs ended, and whether the upkeep has more to do."""
    # Before anything is claimed: a run that is started from now on sends a wake-up of its own.
    WakeUp.objects.filter(pk=ROW).update(queued_at=None)
    worker = Worker(batches=batches)
    worker.run(until_idle=True, seconds=settings.WAKE_SECONDS)
    more: bool = import_string(UPKEEP)()
    # Last: the upkeep has reported what ended.
    more |= webhooks.send_due()
    return worker.outcomes.total(), more

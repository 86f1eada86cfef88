"""The one door to the task queue. A task is only a wake-up: the jobs lie in our own table.

Django 6 has ``django.tasks``; on 5.2 the ``django-tasks`` package has the same under another
name. Celery is an extra. Without any of them, or without a worker of theirs, ``manage.py nb_worker``
does the work.
"""

from __future__ import annotations

import logging

import django
from django.db import connection, transaction

from nb_catalog.conf import settings
from nb_catalog.exceptions import InvalidSettings
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

if task is not None:

    @task
    def work_a_while(run_id: int) -> int:
        """Work for ``WAKE_SECONDS`` and call for more while something is queued."""
        # A batch takes minutes to put together: a web request must not wait for that.
        done = _slice(batches=not is_immediate_backend())
        # The immediate backend would run the next slice inside this one.
        if work_is_waiting() and not is_immediate_backend():
            _enqueue(run_id)
        return done


if shared_task is not None:
    # Our rows are the truth. Celery must not run it again by itself: late acknowledgement and a
    # visibility timeout would start a slice that still runs a second time.
    @shared_task(  # type: ignore[untyped-decorator]
        name="nb_catalog.work_a_while", ignore_result=True, acks_late=False
    )
    def work_a_while_in_celery(run_id: int) -> None:
        """The same as a Celery task."""
        _slice(batches=True)
        if work_is_waiting():
            work_a_while_in_celery.delay(run_id)


def _slice(*, batches: bool) -> int:
    worker = Worker(batches=batches)
    worker.run(until_idle=True, seconds=settings.WAKE_SECONDS)
    return worker.endings.total()


def wake_up(run_id: int) -> None:
    """Send a wake-up for ``run_id`` when the current transaction commits, as ``WAKE_UP`` says.

    A queue that does not answer is logged: the jobs lie in our own table and wait.
    """
    if settings.WAKE_UP == "celery":
        transaction.on_commit(lambda: _send_to_celery(run_id), robust=True)
    elif settings.WAKE_UP == "tasks" and task is not None:
        transaction.on_commit(lambda: _enqueue(run_id), robust=True)


def is_immediate_backend() -> bool:
    """Whether the configured backend works inside the request that wakes it."""
    return (
        settings.WAKE_UP == "tasks"
        and task is not None
        and isinstance(task_backends[settings.TASK_BACKEND], ImmediateBackend)
    )


def _enqueue(run_id: int) -> None:
    if is_immediate_backend() and connection.in_atomic_block:
        # Inside a test's transaction, say: the worker's own connection would see nothing.
        logger.warning("Run %s was not worked on: the immediate backend needs a commit.", run_id)
        return
    work_a_while.using(backend=settings.TASK_BACKEND).enqueue(run_id)


def _send_to_celery(run_id: int) -> None:
    if shared_task is None:
        raise InvalidSettings(
            "Celery is not installed: pip install 'nb-catalog[celery]'.",
            path="NB_CATALOG['WAKE_UP']",
        )
    work_a_while_in_celery.delay(run_id)

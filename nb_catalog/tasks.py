"""The one door to the task queue. A task is only a wake-up: the jobs lie in our own table.

Django 6 has ``django.tasks``; on 5.2 the ``django-tasks`` package has the same under another
name. Without either, or without a worker of theirs, ``manage.py nb_worker`` does the work.
"""

from __future__ import annotations

import logging

import django
from django.db import connection, transaction

from nb_catalog import runner
from nb_catalog.conf import settings

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

if task is not None:

    @task
    def work_a_while(run_id: int) -> int:
        """Work for ``WAKE_SECONDS`` and call for more while something is queued."""
        # A batch takes minutes to put together: a web request must not wait for that.
        worker = runner.Worker(batches=not runs_at_once())
        worker.run(until_idle=True, seconds=settings.WAKE_SECONDS)
        # The immediate backend would run the next slice inside this one.
        if runner.work_is_waiting() and not runs_at_once():
            _enqueue(run_id)
        return worker.endings.total()


def wake_up(run_id: int) -> None:
    """Send a wake-up for ``run_id`` when the current transaction commits.

    A queue that does not answer is logged: the jobs lie in our own table and wait.
    """
    if task is not None:
        transaction.on_commit(lambda: _enqueue(run_id), robust=True)


def runs_at_once() -> bool:
    """Whether the configured backend works inside the request that wakes it."""
    return task is not None and isinstance(task_backends[settings.TASK_BACKEND], ImmediateBackend)


def _enqueue(run_id: int) -> None:
    if runs_at_once() and connection.in_atomic_block:
        # Inside a test's transaction, say: the worker's own connection would see nothing.
        logger.warning("Run %s was not worked on: the immediate backend needs a commit.", run_id)
        return
    work_a_while.using(backend=settings.TASK_BACKEND).enqueue(run_id)

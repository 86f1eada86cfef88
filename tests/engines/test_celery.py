"""Wake-ups through Celery: a real worker, Redis and RabbitMQ, processes and threads."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from nb_catalog import generation, tasks
from nb_catalog.checks import check_task_queue
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, ProductImage
from tests import factories
from tests.cases import ordinary
from tests.catalog.models import Mug
from tests.engines.brokers import rabbitmq, redis
from tests.services import free_port
from tests.settings import ROOT, SCRATCH
from tests.soak.crowd import wait_until

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture(
    params=[
        pytest.param(redis, id="Redis"),
        pytest.param(rabbitmq, id="RabbitMQ", marks=pytest.mark.matrix),
    ]
)
def broker(request, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "WAKE_UP": "celery", "WAKE_SECONDS": 2.0}
    with request.param() as url:
        yield url


@contextmanager
def sending_to(broker, queue):
    """Messages of this process go to ``broker``."""
    from celery import Celery

    app = Celery("shop", broker=broker)
    app.conf.task_default_queue = queue
    app.set_current()
    app.autodiscover_tasks(["nb_catalog"], force=True)
    try:
        yield app
    finally:
        with app.connection_for_write() as line:
            line.default_channel.queue_delete(queue)
        app.close()


@contextmanager
def celery_worker(broker, queue, *, pool):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "NB_TEST_SCRATCH": str(SCRATCH),
        "NB_TEST_NAME": str(connection.settings_dict["NAME"]),
        "NB_TEST_BROKER": broker,
        "NB_TEST_QUEUE": queue,
        "NB_TEST_CATALOG": '{"WAKE_UP": "celery", "WAKE_SECONDS": 2.0}',
    }
    log = (SCRATCH / f"{queue}.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "tests.engines.celery_app", "worker", "--pool", pool,
         "--concurrency", "2", "--loglevel", "INFO", "--without-gossip", "--without-mingle"],
        cwd=ROOT, env=environment, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def started(pictures=6):
    factories.scene()
    mugs = [factories.product().pk for _ in range(pictures)]
    return runs.start_run(
        generation.plan_backgrounds(Mug.objects.filter(pk__in=mugs), scenes=["marble"])
    )


def all_made(pictures):
    return ImageJob.objects.filter(state="succeeded").count() == pictures


@pytest.mark.parametrize("pool", ordinary(["prefork", "threads"], chosen=["threads"]))
def test_a_run_is_worked_off_by_celery(broker, pool):
    queue = f"nb-{uuid4().hex}"
    with sending_to(broker, queue), celery_worker(broker, queue, pool=pool):
        started(6)
        wait_until(lambda: all_made(6))
    assert ProductImage.objects.count() == 6


@pytest.mark.matrix
def test_lost_and_doubled_messages_change_nothing_but_the_time(broker):
    queue = f"nb-{uuid4().hex}"
    with sending_to(broker, queue) as app:
        started(4)
        with app.connection_for_write() as line:
            line.default_channel.queue_purge(queue)  # lost, before anybody saw it
        started(4)
        for _ in range(5):
            tasks.work_a_while_in_celery.delay()
        with celery_worker(broker, queue, pool="prefork"):
            wait_until(lambda: all_made(8))
            time.sleep(1)
    assert ProductImage.objects.count() == 8
    assert set(ImageJob.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.matrix
def test_a_broker_that_is_away_loses_nothing(settings, caplog):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "WAKE_UP": "celery"}
    queue = f"nb-{uuid4().hex}"
    from celery import Celery

    app = Celery("shop", broker=f"redis://127.0.0.1:{free_port()}/0")
    app.conf.update(
        task_default_queue=queue,
        task_publish_retry=False,
        broker_transport_options={"socket_connect_timeout": 0.2},
    )
    app.set_current()
    run = started(2)
    assert run.jobs.filter(state="queued").count() == 2
    assert "Error" in caplog.text or "error" in caplog.text
    call_command("nb_worker", once=True, verbosity=0)
    assert all_made(2)


# Settings


def test_without_celery_the_setting_is_an_error(settings, monkeypatch):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "WAKE_UP": "celery"}
    assert check_task_queue() == []
    monkeypatch.setattr("nb_catalog.checks.task_queue.find_spec", lambda name: None)
    assert [each.id for each in check_task_queue()] == ["nb_catalog.E007"]
    monkeypatch.setattr(tasks, "shared_task", None)
    with pytest.raises(InvalidSettings, match=r"NB_CATALOG\['WAKE_UP'\].*pip install"):
        tasks._send_to_celery()


PAID = {"draft": {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}}


@pytest.mark.parametrize(
    ("backend", "changes", "ids"),
    [
        ("ImmediateBackend", {"TIERS": PAID, "WAKE_UP": "tasks"}, ["nb_catalog.W005"]),
        ("ImmediateBackend", {"WAKE_UP": "tasks"}, []),
        ("ImmediateBackend", {"TIERS": PAID}, []),
        ("ImmediateBackend", {"TIERS": PAID, "WAKE_UP": "none"}, []),
        ("DummyBackend", {"TIERS": PAID, "WAKE_UP": "tasks"}, []),
        (None, {"TIERS": PAID, "WAKE_UP": "tasks"}, ["nb_catalog.W005"]),
    ],
)
def test_paid_calls_inside_web_requests_are_warned_of(settings, backend, changes, ids):
    if backend is None:
        del settings.TASKS
    else:
        kind = {"ImmediateBackend": "immediate", "DummyBackend": "dummy"}[backend]
        settings.TASKS = {"default": {"BACKEND": f"django.tasks.backends.{kind}.{backend}"}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **changes}
    assert [each.id for each in check_task_queue()] == ids


def test_with_none_nobody_is_woken(settings, monkeypatch):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "WAKE_UP": "none"}
    woken = []
    monkeypatch.setattr(tasks, "_enqueue", lambda: woken.append(1))
    monkeypatch.setattr(tasks, "_send_to_celery", lambda: woken.append(1))
    started(1)
    assert not woken and not tasks.is_immediate_backend()

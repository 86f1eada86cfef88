"""Large runs and long plans, with several connections at the same moment, on every database."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from nb_catalog import generation, worker
from nb_catalog.core.states import JobState
from nb_catalog.generation import run_starts, runs
from nb_catalog.models import ImageJob, ProductImage, RunStart, RunStartBlock
from nb_catalog.models.generic import content_type_of
from nb_catalog.worker.db_writer import with_db_retry
from nb_catalog.worker.run_starts import write_next_block
from tests import factories
from tests.catalog.models import Mug

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]

PATIENCE = 60


@pytest.fixture
def other():
    """other(function, *args): run it in a thread, on a connection of its own."""

    def alone(function, *args, **options):
        try:
            return function(*args, **options)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        yield lambda function, *args, **options: pool.submit(alone, function, *args, **options)


@pytest.fixture
def plan(monkeypatch):
    """Of 40 products; for a large run in blocks of four."""
    monkeypatch.setattr(runs, "LARGE_RUN", 30)
    monkeypatch.setattr(run_starts, "BLOCK_PICTURES", 4)
    factories.scene()
    Mug.objects.bulk_create(Mug(name=f"Mug {n}", packshot=f"mugs/{n}.png") for n in range(40))
    return generation.plan_backgrounds(Mug.objects.order_by("pk"), scenes=["marble"])


def write_all(owner):
    while with_db_retry(write_next_block, owner=owner):
        pass


def test_a_worker_s_insert_does_not_wait_for_a_plan_that_is_being_started(plan, other):
    """On SQLite a single transaction writes at a time, whatever it locks."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer.")
    image = factories.image(Mug.objects.first())
    plans = runs.write_jobs
    inside, finished = threading.Event(), threading.Event()

    def slowly(*args, **options):
        turn = plans(*args, **options)
        inside.set()
        assert finished.wait(PATIENCE)
        return turn

    def insert():
        with connection.cursor() as cursor:
            timeout = {"mysql": "SET innodb_lock_wait_timeout = 1"}
            cursor.execute(timeout.get(connection.vendor, "SET lock_timeout = '1s'"))
        with transaction.atomic():
            copy = ProductImage.objects.get(pk=image.pk)
            copy.pk, copy.sha256 = None, "f" * 64
            copy.save(force_insert=True)
            return content_type_of(Mug).pk == copy.content_type_id

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runs, "LARGE_RUN", 1000)
        patched.setattr(runs, "write_jobs", slowly)
        started = other(runs.start_run, plan)
        try:
            assert inside.wait(PATIENCE)
            assert other(insert).result(PATIENCE)
        finally:
            finished.set()
        assert started.result(PATIENCE).jobs.count() == 40


def test_several_workers_write_each_job_of_a_large_run_once(plan, other):
    run = runs.start_run(plan)
    for written in [other(write_all, f"worker-{n}") for n in range(3)]:
        written.result(PATIENCE)
    keys = list(run.jobs.values_list("object_id", flat=True))
    assert sorted(keys) == sorted(str(key) for key in Mug.objects.values_list("pk", flat=True))
    assert not RunStart.objects.exists()


def test_two_workers_that_hold_the_same_block_write_it_once(plan, other):
    """The lease of one ran out while it was frozen."""
    run = runs.start_run(plan)
    starts = [RunStart.objects.get(), RunStart.objects.get()]
    for written in [other(with_db_retry, run_starts.write_block, start) for start in starts]:
        written.result(PATIENCE)
    written = 40 - sum(len(block.keys) for block in RunStartBlock.objects.all())
    assert run.jobs.count() == RunStart.objects.get().written == written


def test_a_cancellation_waits_for_the_block_that_is_being_written(plan, other, monkeypatch):
    run = runs.start_run(plan)
    write_next_block(owner="somebody")
    write_jobs, inside, cancels = run_starts.write_jobs, threading.Event(), threading.Event()

    def slowly(*args, **options):
        turn = write_jobs(*args, **options)
        inside.set()
        assert cancels.wait(PATIENCE)
        return turn

    def cancel():
        cancels.set()
        return with_db_retry(runs.cancel_run, run)

    monkeypatch.setattr(run_starts, "write_jobs", slowly)
    block = other(write_next_block, owner="somebody")
    assert inside.wait(PATIENCE)
    cancelled = other(cancel)
    assert block.result(PATIENCE)
    assert cancelled.result(PATIENCE) == 8
    assert not RunStart.objects.exists() and not write_next_block(owner="somebody")
    assert set(run.jobs.values_list("state", flat=True)) == {JobState.CANCELLED}
    assert run.jobs.count() == 8


def test_the_pictures_of_a_large_run_are_made(plan, monkeypatch):
    Mug.objects.all().delete()
    for _ in range(3):
        factories.product()
    monkeypatch.setattr(runs, "LARGE_RUN", 2)
    monkeypatch.setattr(run_starts, "BLOCK_PICTURES", 1)
    run = runs.start_run(plan)
    assert not ImageJob.objects.exists()
    worker.drain()
    assert factories.counts_of(run) == {"succeeded": 3}

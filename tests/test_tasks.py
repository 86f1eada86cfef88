"""Wake-ups: sent on commit, carrying only an id, through whichever queue there is."""

import logging
from datetime import timedelta

import django
import pytest
from django.db import transaction
from django.utils import timezone

from nb_catalog import generation, tasks
from nb_catalog.core.states import JobState
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, Run, WakeUp
from nb_catalog.testing import Script
from nb_catalog.worker import Worker
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

PACKAGE = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"
PAID = {"draft": {"PROVIDER": "paid", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}}


@pytest.fixture
def script(settings):
    """Pictures cost next to no time."""
    script = Script()
    providers = {"paid": script.as_setting()}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": PAID, "PROVIDERS": providers}
    return script


@pytest.fixture
def backend(settings):
    def backend(name, alias="default"):
        settings.TASKS = {
            **settings.TASKS,
            alias: {"BACKEND": f"{PACKAGE}.backends.{name.lower()}.{name}Backend"},
        }
        return tasks.task_backends[alias]

    return backend


@pytest.fixture
def dummy(backend):
    return backend("Dummy")


@pytest.fixture
def immediate(backend, settings):
    """Working inside the request, as somebody who tries things out may want it."""
    settings.NB_CATALOG = {**settings.NB_CATALOG, "WAKE_UP": "tasks"}
    return backend("Immediate")


def plan_of(pictures):
    mugs = [factories.product() for _ in range(pictures)]
    return generation.plan_backgrounds(mugs, scenes=[factories.scene()], treatment="painted")


def messages(backend):
    return [(each.args, each.kwargs) for each in backend.results]


WAKE_UP = ([], {})


class Rollback(Exception):
    pass


def test_a_wake_up_is_one_message_without_any_data(script, dummy):
    runs.start_run(plan_of(3))
    assert messages(dummy) == [WAKE_UP]


def test_ten_runs_send_one_message(script, dummy):
    for _ in range(10):
        runs.start_run(plan_of(1))
    assert messages(dummy) == [WAKE_UP]
    assert tasks.work_a_while.func() == 10


def test_ten_runs_of_one_transaction_send_one_message(script, dummy):
    with transaction.atomic():
        for _ in range(10):
            runs.start_run(plan_of(1))
    assert messages(dummy) == [WAKE_UP]


def test_a_lost_message_is_sent_again_once_the_stamp_has_expired(script, dummy, monkeypatch):
    runs.start_run(plan_of(1))
    assert WakeUp.objects.get().queued_at is not None
    dummy.clear()  # lost
    for age, sent in ((tasks.LOST_AFTER * 0.9, 0), (tasks.LOST_AFTER * 1.1, 1)):
        WakeUp.objects.update(queued_at=timezone.now() - age)
        runs.start_run(plan_of(1))
        assert len(messages(dummy)) == sent


def test_a_clock_that_was_set_back_keeps_no_message_back(script, dummy):
    runs.start_run(plan_of(1))
    WakeUp.objects.update(queued_at=timezone.now() + timedelta(days=1))
    runs.start_run(plan_of(1))
    assert len(messages(dummy)) == 2


def test_a_run_that_starts_while_a_slice_is_running_sends_its_own_message(
    script, dummy, monkeypatch
):
    runs.start_run(plan_of(1))
    sent_before = []

    def run(worker, **options):
        sent_before.extend(messages(dummy))
        runs.start_run(plan_of(1))

    monkeypatch.setattr(tasks.Worker, "run", run)
    monkeypatch.setattr(tasks, "work_is_waiting", lambda: False)
    tasks.work_a_while.func()
    assert len(sent_before) == 1 and messages(dummy) == [WAKE_UP] * 2


def test_two_slices_that_end_with_work_left_send_one_message(script, dummy, monkeypatch):
    monkeypatch.setattr(tasks.Worker, "run", lambda worker, **options: None)
    monkeypatch.setattr(tasks, "work_is_waiting", lambda: True)
    tasks.work_a_while.func()
    assert messages(dummy) == [WAKE_UP]
    tasks._enqueue()
    assert messages(dummy) == [WAKE_UP], "the first one has not been started yet"


def test_starting_again_sends_nothing_more(script, dummy):
    plan = plan_of(1)
    runs.start_run(plan)
    runs.start_run(plan)
    assert len(messages(dummy)) == 1


def test_a_queue_that_does_not_answer_loses_no_run(script, dummy, monkeypatch, caplog):
    def away(*_args, **_options):
        raise ConnectionRefusedError("the broker is away")

    monkeypatch.setattr(type(dummy), "enqueue", away)
    run = runs.start_run(plan_of(2))
    assert run.jobs.filter(state=JobState.QUEUED).count() == 2
    assert "the broker is away" in caplog.text
    monkeypatch.undo()
    runs.start_run(plan_of(1))
    assert messages(dummy) == [WAKE_UP], "the failed attempt keeps nothing back"


def test_nothing_is_sent_before_the_commit(script, dummy):
    with transaction.atomic():
        runs.start_run(plan_of(1))
        assert messages(dummy) == []
    assert messages(dummy) == [WAKE_UP]


def test_nothing_is_sent_when_the_transaction_is_rolled_back(script, dummy):
    plan = plan_of(1)
    with pytest.raises(Rollback), transaction.atomic():
        runs.start_run(plan)
        raise Rollback
    assert messages(dummy) == [] and not ImageJob.objects.exists()


def test_a_retry_and_a_resumption_wake_a_worker_and_an_empty_retry_does_not(script, dummy):
    run = runs.start_run(plan_of(1))
    WakeUp.objects.update(queued_at=None)
    runs.retry_run(run)
    assert len(messages(dummy)) == 1
    runs.cancel_run(run)
    runs.retry_run(run)
    WakeUp.objects.update(queued_at=None)
    Run.objects.update(paused_reason="run_budget")
    runs.resume_run(run, budget_usd=None)
    assert messages(dummy) == [WAKE_UP] * 3


def test_a_setting_picks_the_queue(script, dummy, backend, settings):
    other = backend("Dummy", alias="pictures")
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TASK_BACKEND": "pictures"}
    runs.start_run(plan_of(1))
    assert messages(other) == [WAKE_UP]
    assert messages(tasks.task_backends["default"]) == []


def test_by_default_the_immediate_backend_leaves_the_work_to_a_worker(script, backend):
    backend("Immediate")
    run = runs.start_run(plan_of(3))
    assert script.count == 0 and factories.counts_of(run) == {"queued": 3}
    Worker().run(until_idle=True)
    assert factories.counts_of(run) == {"succeeded": 3}


def test_the_immediate_backend_makes_the_pictures_at_once_after_the_commit(script, immediate):
    assert tasks.is_immediate_backend()
    with transaction.atomic():
        run = runs.start_run(plan_of(3))
        assert script.count == 0
    assert factories.counts_of(run) == {"succeeded": 3}


def test_the_immediate_backend_makes_free_pictures_too(immediate):
    mug = factories.product()
    run = runs.start_run(generation.plan_backgrounds([mug], scenes=[factories.scene()]))
    assert factories.counts_of(run) == {"succeeded": 1}


def test_the_immediate_backend_writes_and_makes_a_large_run(immediate, monkeypatch):
    monkeypatch.setattr(runs, "LARGE_RUN", 2)
    mugs = [factories.product() for _ in range(3)]
    run = runs.start_run(generation.plan_backgrounds(mugs, scenes=[factories.scene()]))
    assert run.starting is None and factories.counts_of(run) == {"succeeded": 3}


def test_a_slice_that_ends_while_a_run_is_written_sends_the_next_one(script, dummy, monkeypatch):
    monkeypatch.setattr(runs, "LARGE_RUN", 2)
    run = runs.start_run(plan_of(3))
    assert messages(dummy) == [WAKE_UP] and run.starting is not None
    monkeypatch.setattr(tasks.Worker, "run", lambda worker, **options: None)
    tasks.work_a_while.func()
    assert messages(dummy) == [WAKE_UP] * 2
    monkeypatch.undo()
    assert tasks.work_a_while.func() == 3
    assert factories.counts_of(run) == {"succeeded": 3}


@pytest.mark.django_db(transaction=False)
def test_the_immediate_backend_does_not_work_on_what_only_a_test_s_transaction_can_see(
    script, immediate, caplog, django_capture_on_commit_callbacks
):
    with (
        caplog.at_level(logging.WARNING, "nb_catalog.tasks"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        run = runs.start_run(plan_of(1))
    assert "Queued jobs were not worked on: the immediate backend needs a commit." in caplog.text
    assert script.count == 0 and factories.counts_of(run) == {"queued": 1}


def test_a_slice_of_work_calls_for_the_next_while_something_is_queued(script, dummy, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "WAKE_SECONDS": 0.4, "CONCURRENCY": 1}
    script.seconds = 0.1
    runs.start_run(plan_of(8))
    done = tasks.work_a_while.func()
    assert 0 < done < 8
    assert messages(dummy) == [WAKE_UP] * 2
    settings.NB_CATALOG = {**settings.NB_CATALOG, "WAKE_SECONDS": 30, "CONCURRENCY": 8}
    assert tasks.work_a_while.func() == 8 - done
    assert len(messages(dummy)) == 2, "nothing is queued any more"
    assert not ImageJob.objects.exclude(state=JobState.SUCCEEDED).exists()


def test_a_wake_up_without_work_ends_at_once(script, dummy):
    assert tasks.work_a_while.func() == 0
    assert messages(dummy) == []


def test_without_a_task_queue_a_run_is_started_all_the_same(script, monkeypatch):
    monkeypatch.setattr(tasks, "task", None)
    run = runs.start_run(plan_of(2))
    assert factories.counts_of(run) == {"queued": 2}
    assert not tasks.is_immediate_backend()

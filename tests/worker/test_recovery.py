"""What dead workers leave behind, and how it is taken up."""

import json
import os
import time
import warnings
from datetime import timedelta

import pytest
from django.utils import timezone

from nb_catalog import generation, worker
from nb_catalog.core.specs import SCHEMA
from nb_catalog.core.states import JobState
from nb_catalog.core.types import Size
from nb_catalog.exceptions import ContentRefused, NoPicture, OutcomeUnknown, ServiceUnavailable
from nb_catalog.models import ImageJob, ProductImage, ProviderCall
from nb_catalog.providers.types import ImageResult
from nb_catalog.testing.pictures import solid_png
from nb_catalog.testing.scripted import ScriptedProvider
from nb_catalog.worker import claims, outcomes, persistence, recovery, spool
from tests import factories
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)

RESULT = ImageResult(
    data=solid_png(Size(1024, 1024)),
    mime_type="image/png",
    usage={"prompt": 1240, "candidates": 1120, "total": 2360, "image": 1120},
    model_version="m-1",
    request_id="r-1",
)


def claimed(*, free=False):
    return claims.claim(owner="dead", limit=1, free=free)[0]


def calling(*, free=False):
    job = claimed(free=free)
    assert persistence.write_outcomes([job], []) == [True]
    return job


def expire():
    ImageJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def test_what_was_claimed_and_never_sent_is_queued_again(script, start):
    start()
    claimed()
    expire()
    worker.sweep()
    job = ImageJob.objects.get()
    assert (job.state, job.lease_owner) == ("queued", "")


def test_a_job_that_its_own_worker_claimed_again_begins_once(script, start):
    """While the database was away its lease ran out. Both claims then begin in one commit."""
    start()
    first = claimed()
    expire()
    worker.sweep()
    second = claimed()
    assert (second.owner, second.epoch) == (first.owner, first.epoch + 1)
    assert persistence.write_outcomes([first, second], []) == [False, True]
    assert list(ProviderCall.objects.values_list("epoch", flat=True)) == [second.epoch]
    money_is_sound()


def test_an_outcome_of_a_void_claim_ends_nothing(script, start):
    start()
    first = calling()
    ImageJob.objects.update(state=JobState.QUEUED, lease_owner="")
    second = calling()
    lost = [
        outcomes.outcome_for_error(job, OutcomeUnknown("Nobody knows.")) for job in (first, second)
    ]
    assert persistence.write_outcomes([], lost) == [False, True]


def test_a_lease_that_runs_is_left_alone(script, start):
    start()
    job = calling()
    spool.put(job.spool_name, RESULT)
    assert worker.sweep() == []
    assert ImageJob.objects.get().state == JobState.CALLING
    assert list(spool.names()) == [job.spool_name]


def test_a_call_without_staged_bytes_becomes_unknown_and_keeps_its_money(script, start):
    start()
    calling()
    expire()
    assert [outcome.move for outcome in worker.sweep()] == ["lose"]
    job = ImageJob.objects.get()
    assert (job.state, job.error_code) == ("unknown", "outcome_unknown")
    assert "bill" in job.error
    assert ProviderCall.objects.get().outcome == "unknown"
    money_is_sound()


def test_staged_bytes_are_adopted_and_paid_once(script, start):
    start()
    job = calling()
    spool.put(job.spool_name, RESULT)
    expire()
    assert [outcome.move for outcome in worker.sweep()] == ["succeed"]
    image = ProductImage.objects.get()
    assert ImageJob.objects.get().state == JobState.SUCCEEDED
    with image.file.open() as file:
        assert file.read() == RESULT.data
    call = ProviderCall.objects.get()
    assert (call.outcome, call.request_id, call.cost_microusd) == ("picture", "r-1", 33_910)
    assert script.count == 0 and not list(spool.names())
    money_is_sound()


def test_bytes_on_another_machine_are_adopted_after_the_job_was_called_unknown(script, start):
    start()
    job = calling()
    expire()
    worker.sweep()
    assert ImageJob.objects.get().state == JobState.UNKNOWN
    spool.put(job.spool_name, RESULT)
    worker.sweep()
    assert ImageJob.objects.get().state == JobState.SUCCEEDED
    assert ProductImage.objects.count() == 1
    money_is_sound()


def test_bytes_of_a_job_that_was_made_again_are_kept_as_a_picture_to_review(script, start):
    run = start()
    job = calling()
    expire()
    worker.sweep()
    from nb_catalog.generation import runs

    runs.retry_run(run, unknown=True)
    worker.drain()
    spool.put(job.spool_name, RESULT)
    worker.sweep()
    assert set(ProductImage.objects.values_list("state", flat=True)) == {"pending"}
    assert ProductImage.objects.count() == 2, "both were paid for"
    assert not list(spool.names())
    money_is_sound()


def test_staged_bytes_that_are_stored_already_are_dropped(script, start):
    start()
    job = calling()
    spool.put(job.spool_name, RESULT)
    expire()
    worker.sweep()
    spool.put(job.spool_name, RESULT)
    worker.sweep()
    assert ProductImage.objects.count() == 1 and not list(spool.names())


def test_staged_bytes_of_another_database_are_left_alone(script, start):
    spool.put("999.1.stranger", RESULT)
    spool.put("not-one-of-our-names", RESULT)
    worker.sweep()
    assert sorted(spool.names()) == ["999.1.stranger", "not-one-of-our-names"]


def test_free_work_never_becomes_unknown_and_simply_runs_again(start):
    start(treatment="locked")
    calling(free=True)
    expire()
    worker.drain()
    assert ImageJob.objects.get().state == JobState.SUCCEEDED
    assert ProductImage.objects.count() == 1


def test_free_work_that_kills_its_worker_each_time_ends(start):
    start(treatment="locked")
    calling(free=True)
    ImageJob.objects.update(attempts=recovery.MOST_DEATHS)
    expire()
    worker.sweep()
    job = ImageJob.objects.get()
    assert (job.state, job.error_code) == ("failed", "worker_died")


def test_waiting_work_is_queued_when_its_time_has_come(script, start):
    start(2)
    early, late = ImageJob.objects.order_by("pk")
    now = timezone.now()
    ImageJob.objects.update(state="waiting")
    ImageJob.objects.filter(pk=early.pk).update(not_before=now - timedelta(seconds=1))
    ImageJob.objects.filter(pk=late.pk).update(not_before=now + timedelta(hours=1))
    assert recovery.requeue_due() == 1
    assert [job.state for job in (early, late) if not job.refresh_from_db()] == [
        "queued",
        "waiting",
    ]


def test_a_half_written_staging_file_is_nothing(script, start):
    start()
    job = calling()
    spool.put(job.spool_name, RESULT)
    path = spool.path(job.spool_name)
    path.rename(path.with_suffix(".writing"))
    expire()
    assert [outcome.move for outcome in worker.sweep()] == ["lose"]


def test_a_picture_comes_back_from_staging_as_it_went_in():
    spool.put("1.1.me", RESULT)
    assert spool.get("1.1.me") == RESULT
    spool.drop("1.1.me")
    assert spool.get("1.1.me") is None


def test_a_sweep_stops_adopting_when_its_time_is_over(script, start, monkeypatch):
    start(3)
    jobs = claims.claim(owner="dead", limit=3, free=False)
    persistence.write_outcomes(jobs, [])
    for job in jobs:
        spool.put(job.spool_name, RESULT)
    expire()
    assert len(recovery.adopt_spooled(seconds=-1)) == 0
    assert len(recovery.adopt_spooled()) == 3


# A connection that breaks during a commit: the worker asks again and cannot know what was written.


def test_an_order_whose_beginning_was_written_and_not_acknowledged_goes_out(script, start):
    start()
    job = calling()
    reserved = money_is_sound()
    assert persistence.write_outcomes([job], []) == [True]
    assert ProviderCall.objects.count() == 1 and money_is_sound() == reserved
    assert ImageJob.objects.get().state == JobState.CALLING


def test_one_that_a_sweep_has_called_lost_meanwhile_was_never_sent(script, start):
    start()
    job = calling()
    expire()
    worker.sweep()
    assert ImageJob.objects.get().state == JobState.UNKNOWN
    assert persistence.write_outcomes([job], []) == [False]
    job, call = ImageJob.objects.get(), ProviderCall.objects.get()
    assert (job.state, job.attempts, job.error) == ("queued", 0, "")
    assert (call.outcome, call.cost_microusd) == ("not_sent", 0)
    assert money_is_sound() == 0
    assert worker.drain() == {"succeed": 1}
    assert ProviderCall.objects.count() == 2


def test_one_that_somebody_else_has_taken_meanwhile_is_left_to_them(script, start):
    start()
    job = calling()
    expire()
    worker.sweep()
    ImageJob.objects.update(state=JobState.QUEUED, lease_owner="")
    claims.claim(owner="another", limit=1, free=False)
    assert persistence.write_outcomes([job], []) == [False]
    job = ImageJob.objects.get()
    assert (job.state, job.lease_owner) == ("leased", "another")
    assert ProviderCall.objects.get().outcome == "unknown"


def test_an_ending_that_is_written_twice_counts_once(script, start):
    start()
    job = calling()
    outcome = outcomes.outcome_for_error(job, ContentRefused("No.", usage=RESULT.usage))
    assert persistence.write_outcomes([], [outcome]) == [True]
    settled = money_is_sound()
    persistence.write_outcomes([], [outcome])
    assert money_is_sound() == settled and ProviderCall.objects.count() == 1


@pytest.mark.parametrize(
    ("error", "state", "cost"),
    [
        (ContentRefused("No.", usage={"prompt": 1}), "refused", None),
        (NoPicture("Nothing.", usage=RESULT.usage), "waiting", 33_910),
        (ServiceUnavailable("Busy."), "waiting", 0),
    ],
    ids=["refused", "no picture", "unavailable"],
)
def test_every_outcome_that_comes_after_a_sweep_is_adopted(script, start, error, state, cost):
    """The job and its call agree: what the call is booked as, the job is."""
    start()
    job = calling()
    expire()
    worker.sweep()
    assert ImageJob.objects.get().state == "unknown"
    outcome = outcomes.outcome_for_error(job, error)
    assert persistence.write_outcomes([], [outcome]) == [True]
    row, call = ImageJob.objects.get(), ProviderCall.objects.get()
    assert (row.state, row.error_code, call.outcome) == (state, error.code, "failed")
    assert call.cost_microusd == cost or cost is None
    money_is_sound()


def test_an_outcome_that_comes_after_a_person_s_retry_changes_the_call_alone(script, start):
    run = start()
    job = calling()
    expire()
    worker.sweep()
    generation.retry_run(run, unknown=True)
    outcome = outcomes.outcome_for_error(job, ServiceUnavailable("Busy."))
    assert persistence.write_outcomes([], [outcome]) == [False]
    assert ImageJob.objects.get().state == "queued"
    assert ProviderCall.objects.get().cost_microusd == 0


def die_while_storing(name, times):
    """Leave the count that ``times`` processes leave which die in an attempt."""
    spool.path(name).with_suffix(spool.ATTEMPTS_SUFFIX).write_bytes(b"." * times)


def test_a_result_that_kills_its_readers_is_put_aside_alone(script, start, monkeypatch):
    start()
    poison = calling()
    spool.put(poison.spool_name, RESULT)
    expire()
    die_while_storing(poison.spool_name, recovery.MOST_DEATHS_OF_RESULT)
    monkeypatch.setattr(recovery, "_store", lambda *_: pytest.fail("read once more"))
    worker.sweep()
    job = ImageJob.objects.get()
    assert (job.state, job.error_code) == ("failed", "answer_too_large")
    assert "Workers died 3 times" in job.error
    aside = spool.path(poison.spool_name).with_suffix(".broken")
    assert str(aside) in job.error and aside.read_bytes() == RESULT.data
    reported = json.loads(aside.with_suffix(".json").read_text())
    assert reported["usage"] == RESULT.usage and ".json file beside it" in job.error
    assert ProviderCall.objects.get().cost_microusd == 33_910, "it is paid for"
    money_is_sound()


def test_a_result_is_read_again_after_fewer_deaths_and_the_count_goes(script, start):
    start()
    job = calling()
    spool.put(job.spool_name, RESULT)
    expire()
    die_while_storing(job.spool_name, recovery.MOST_DEATHS_OF_RESULT - 1)
    worker.sweep()
    assert ImageJob.objects.get().state == "succeeded"
    assert not list(spool.path(job.spool_name).parent.iterdir())


def in_a_process_that_dies(attempt):
    """What the attempt of a process yields that dies in it."""
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of threads, which this child does not use.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        with attempt() as deaths:
            os.write(theirs, str(deaths).encode())
            os._exit(1)
    os.waitpid(pid, 0)
    os.close(theirs)
    with open(ours) as file:
        return file.read()


def test_a_process_that_dies_while_it_reads_is_counted(script, start, tmp_path):
    name = "7.1.somebody"
    spool.put(name, RESULT)
    assert in_a_process_that_dies(lambda: spool.attempt(name)) == "0"
    with spool.attempt(name) as deaths:
        assert deaths == 1
        assert in_a_process_that_dies(lambda: spool.attempt(name)) == "None", "it is ours"
    with spool.attempt(name) as deaths:
        assert deaths == 0


def test_what_killed_processes_leave_is_removed_and_pictures_stay(script, start):
    name, other = "7.1.somebody", "8.1.somebody"
    spool.put(name, RESULT)
    directory = spool.path(name).parent
    old = [
        directory / f"{other}.writing",
        directory / f"{other}.json",
        directory / f"{other}.attempts",
        directory / f"{other}.staged.0123.link",
    ]
    aside = directory / "6.1.somebody.broken"
    kept = [aside, aside.with_suffix(".json"), directory / "a person's notes.json"]
    for file in (*old, *kept):
        file.write_bytes(b"x")
        os.utime(file, (0, time.time() - spool.LEFTOVER_AGE - 1))
    os.utime(spool.path(name).with_suffix(".json"), (0, 0))
    young = directory / "9.1.somebody.writing"
    young.write_bytes(b"x")
    assert spool.remove_leftovers() == len(old)
    expected = {*kept, young, spool.path(name), spool.path(name).with_suffix(".json")}
    assert set(directory.iterdir()) == expected


@pytest.mark.parametrize(
    "spec",
    [{}, [], {"more": 1}, {"scene": {"a": 1}}, {"variant": "one"}, {"renderer": "plain"}],
    ids=str,
)
def test_a_job_that_cannot_be_read_fails_alone(script, start, spec):
    start()
    sound = ImageJob.objects.get()
    broken = {**sound.spec, **spec} if spec else spec
    bad = factories.job(priority=sound.priority + 1, provider=sound.provider, model=sound.model)
    ImageJob.objects.filter(pk=bad.pk).update(spec=broken)
    worker.drain()
    bad.refresh_from_db()
    sound.refresh_from_db()
    assert (bad.state, bad.error_code, bad.attempts) == ("failed", "spec_unreadable", 0)
    assert "cannot be read" in bad.error
    assert sound.state == "succeeded"


def test_a_job_of_newer_code_is_left_to_newer_workers(script, start):
    start()
    ImageJob.objects.update(schema=SCHEMA + 1)
    assert worker.drain().total() == 0
    assert ImageJob.objects.get().state == "queued"
    assert not worker.work_is_waiting()
    ImageJob.objects.update(schema=SCHEMA)
    assert worker.drain()["succeed"] == 1


def test_a_call_whose_job_cannot_be_read_any_more_is_lost_alone(script, start):
    start()
    start()
    first, second = calling(), calling()
    ImageJob.objects.filter(pk=first.job_id).update(spec={})
    expire()
    worker.sweep()
    assert set(ImageJob.objects.values_list("state", flat=True)) == {"unknown"}
    assert set(ProviderCall.objects.values_list("outcome", flat=True)) == {"unknown"}
    assert second.job_id != first.job_id
    money_is_sound()


def test_what_a_call_needs_is_opened_before_it_is_on_record(script, start, monkeypatch):
    """A worker that dies while it imports and connects leaves no call whose outcome nobody knows."""
    happened = []
    begin = persistence._begin

    async def opened(self):
        happened.append("open")

    def begun(jobs):
        happened.append("begin")
        return begin(jobs)

    monkeypatch.setattr(ScriptedProvider, "open", opened)
    monkeypatch.setattr(persistence, "_begin", begun)
    start()
    assert worker.drain() == {"succeed": 1}
    assert happened == ["open", "begin"]


def test_a_provider_that_cannot_be_opened_sends_nothing(script, start, monkeypatch):
    async def broken(self):
        raise ZeroDivisionError

    monkeypatch.setattr(ScriptedProvider, "open", broken)
    start()
    worker.drain()
    job = ImageJob.objects.get()
    assert (job.state, job.error_code) == ("failed", "request_rejected")
    assert script.count == ProviderCall.objects.count() == 0

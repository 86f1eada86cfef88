"""What is said of a run: the percent of what was asked, what it waits for, why jobs failed, the time left."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nb_catalog import ratelimit
from nb_catalog.core.states import BatchState, JobState
from nb_catalog.core.types import RequestMode
from nb_catalog.generation import job_counts, pace
from nb_catalog.generation.progress import Cause, RunState, progress_of
from nb_catalog.models import (
    ImageJob,
    ProviderBatch,
    ProviderPause,
    RateLimitState,
    Run,
    RunStart,
)
from nb_catalog.models.db.clock import database_now
from tests import factories
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db


def job(run, **fields):
    """A job of ``run`` for the one product that they all share."""
    return factories.job(Mug.objects.first() or factories.product(photo=False), of=run, **fields)


def ended(run, number, *, seconds, state=JobState.SUCCEEDED, until=0.0, **fields):
    """``number`` jobs that ended at equal distances in the last ``seconds``, the last ``until`` ago."""
    now = database_now()
    for position in range(number):
        ago = until + (seconds - until) * position / number
        finished_at = now - timedelta(seconds=ago)
        job(run, state=state, finished_at=finished_at, **fields)


def queued(run, number, **fields):
    for _ in range(number):
        job(run, **fields)


def begun(minutes, **fields):
    run = factories.run(**fields)
    Run.objects.update(created_at=database_now() - timedelta(minutes=minutes))
    run.refresh_from_db()
    return run


def causes(progress):
    return {each.cause: each.jobs for each in progress.waits}


def test_the_percent_counts_pictures_that_are_still_to_be_requested():
    run = factories.run()
    RunStart.objects.create(run=run, label="x", request={}, products=400, written=100)
    for state in (JobState.SUCCEEDED, JobState.SUCCEEDED, JobState.QUEUED, JobState.FAILED):
        job(run, state=state)
    progress = progress_of(Run.objects.get())
    assert (progress.asked, progress.percent) == (16, 12)
    assert progress.state == RunState.STARTING and not progress.is_over


def test_before_the_first_job_is_written_nothing_is_known():
    run = factories.run()
    RunStart.objects.create(run=run, label="x", request={}, products=400)
    progress = progress_of(Run.objects.get())
    assert (progress.asked, progress.percent, progress.seconds_left) == (None, 0, None)


def test_what_failed_was_asked_for_and_is_not_made():
    run = factories.run()
    for state in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED):
        job(run, state=state)
    progress = progress_of(run)
    assert (progress.percent, progress.is_over, progress.seconds_left) == (33, True, 0)


def test_the_time_left_follows_from_the_rate_of_the_last_minutes():
    run = begun(30)
    ended(run, 60, seconds=300)
    queued(run, 24)
    [lane] = progress_of(run).lanes
    assert lane.per_minute == pytest.approx(12, rel=0.05)
    assert progress_of(run).seconds_left == pytest.approx(120, rel=0.05)


def test_a_slow_run_is_measured_over_an_hour():
    run = begun(120)
    ended(run, 30, seconds=3600)
    queued(run, 10)
    assert progress_of(run).seconds_left == pytest.approx(1200, rel=0.1)


def test_failures_take_as_long_as_successes():
    run = begun(30)
    ended(run, 30, seconds=300)
    ended(run, 30, seconds=300, state=JobState.FAILED)
    queued(run, 24)
    assert progress_of(run).seconds_left == pytest.approx(120, rel=0.05)


def test_a_new_run_is_estimated_by_others_of_its_model_without_their_idle_hours():
    earlier = begun(300)
    ended(earlier, 20, seconds=100)
    ended(earlier, 20, seconds=7300, until=7200)
    queued(run := factories.run(), 24)
    assert progress_of(run).seconds_left == pytest.approx(120, rel=0.1)


def test_other_models_say_nothing():
    ended(begun(300), 20, seconds=100, model="another")
    queued(run := factories.run(), 24)
    assert progress_of(run).seconds_left is None


def test_the_slowest_tier_decides_and_an_unknown_one_leaves_it_open():
    run = begun(30)
    ended(run, 60, seconds=300)
    ended(run, 12, seconds=300, tier="premium", model="pro")
    queued(run, 12)
    queued(run, 12, tier="premium", model="pro")
    progress = progress_of(run)
    assert [lane.key.tier for lane in progress.lanes] == ["premium", "draft"]
    assert progress.seconds_left == pytest.approx(300, rel=0.1)
    queued(run, 1, tier="standard", model="new")
    assert progress_of(run).seconds_left is None


def test_pictures_that_are_not_requested_yet_take_time_too():
    run = begun(30)
    RunStart.objects.create(
        run=run, label="x", request={}, products=200, written=100,
        lease_until=database_now() + timedelta(minutes=1),
    )  # fmt: skip
    ended(run, 60, seconds=300)
    queued(run, 40)
    [lane] = progress_of(Run.objects.get(pk=run.pk)).lanes
    assert lane.remaining == 140
    assert lane.seconds_left == pytest.approx(700, rel=0.05)


@pytest.mark.parametrize("minutes", [10, None])
def test_a_pause_of_the_provider_is_waited_for_or_for_a_person(minutes):
    run = begun(30)
    ended(run, 60, seconds=300)
    queued(run, 12)
    wait = ratelimit.UNTIL_A_PERSON_ACTS if minutes is None else timedelta(minutes=minutes)
    until = database_now() + wait
    ProviderPause.objects.create(provider="local", model="", until=until, reason="x")
    progress = progress_of(run)
    [pause] = progress.waits
    assert (pause.cause, pause.jobs, pause.detail) == (Cause.PAUSE, 12, "local local-studio")
    if minutes is None:
        assert progress.seconds_left is None and pause.until is None
    else:
        assert progress.seconds_left == pytest.approx(660, rel=0.05)


def test_a_daily_quota_is_waited_for(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "QUOTAS": {"local": {"*": {"REQUESTS_PER_DAY": 10}}}
    }  # fmt: skip
    run, now = begun(30), database_now()
    ended(run, 60, seconds=300)
    queued(run, 25)
    renewal = pace.quota_renewal(now)
    RateLimitState.objects.create(
        provider="local", model="local-studio", sent_today=10,
        day=(renewal - timedelta(hours=12)).date(),
    )  # fmt: skip
    progress = progress_of(run)
    [quota] = progress.waits
    assert (quota.cause, quota.jobs, quota.until) == (Cause.QUOTA, 25, renewal)
    expected = (renewal - now).total_seconds() + 2 * 86_400 + 125
    assert progress.seconds_left == pytest.approx(expected, rel=0.01)


def test_a_budget_a_retry_and_a_batch_are_named_with_their_jobs():
    run = begun(30, paused_reason="run_budget")
    soon = database_now() + timedelta(minutes=3)
    queued(run, 3)
    queued(run, 2, state=JobState.WAITING, not_before=soon)
    queued(run, 1, state=JobState.SUBMITTED, mode=RequestMode.BATCH)
    progress = progress_of(run)
    assert causes(progress) == {Cause.BUDGET: 5, Cause.RETRY: 2, Cause.BATCH: 1}
    assert {each.until for each in progress.waits if each.cause == Cause.RETRY} == {soon}
    assert (progress.state, progress.seconds_left) == (RunState.PAUSED, None)


def test_without_a_worker_there_is_no_time_left_to_name():
    run = begun(30)
    ended(run, 60, seconds=300, until=60)
    queued(run, 12)
    progress = progress_of(run)
    assert causes(progress) == {Cause.WORKER: 12}
    assert progress.seconds_left is None


def test_a_batch_is_estimated_by_earlier_ones():
    run, now = begun(30), database_now()
    for minutes in (20, 30, 40, 50, 60):
        ProviderBatch.objects.create(
            name=f"b{minutes}", provider="local", model="local-studio", state=BatchState.DONE,
            submitted_at=now - timedelta(days=1),
            finished_at=now - timedelta(days=1) + timedelta(minutes=minutes),
        )  # fmt: skip
    batch = ProviderBatch.objects.create(
        name="now", provider="local", model="local-studio", state=BatchState.RUNNING,
        submitted_at=now - timedelta(minutes=25),
    )  # fmt: skip
    queued(run, 2, state=JobState.SUBMITTED, mode=RequestMode.BATCH, batch=batch)
    # Of those that took more than 25 minutes (30, 40, 50, 60) the upper median is 50.
    assert progress_of(run).seconds_left == pytest.approx(25 * 60, rel=0.02)
    ProviderBatch.objects.filter(pk=batch.pk).update(submitted_at=now - timedelta(minutes=45))
    assert progress_of(run).seconds_left is None


def test_failures_are_counted_by_cause_and_only_some_can_be_retried():
    run = factories.run()
    for state, code in (
        (JobState.FAILED, "no_picture"),
        (JobState.FAILED, "picture_missing"),
        (JobState.FAILED, "picture_missing"),
        (JobState.UNKNOWN, "outcome_unknown"),
        (JobState.CANCELLED, "made_meanwhile"),
    ):
        job(run, state=state, error_code=code)
    found = [(each.code, each.jobs, each.can_retry) for each in progress_of(run).failures]
    assert found == [
        ("picture_missing", 2, False), ("no_picture", 1, True), ("outcome_unknown", 1, False)
    ]  # fmt: skip


def test_a_long_run_costs_what_a_short_one_does():
    def queries(number):
        run = begun(30)
        ended(run, number, seconds=300)
        queued(run, number)
        job(run, state=JobState.FAILED, error_code="no_picture")
        progress_of(run)
        with CaptureQueriesContext(connection) as captured:
            progress_of(Run.objects.get(pk=run.pk))
        return len(captured)

    assert queries(12) == queries(40) <= 12


def test_lanes_of_a_long_run_are_counted_rarely_and_scaled(monkeypatch):
    monkeypatch.setattr(job_counts, "SMALL", 2)
    run = begun(30)
    queued(run, 6)
    queued(run, 2, tier="premium", model="pro")
    assert [lane.remaining for lane in progress_of(run).lanes] == [6, 2]
    ImageJob.objects.filter(tier="draft").update(state=JobState.SUCCEEDED)
    queued(run, 2, tier="premium", model="pro")
    job_counts.invalidate(run)
    assert sum(lane.remaining for lane in progress_of(run).lanes) == 4

"""Quotas at the claim: slots, the day's count, calls in flight, and the cap that comes and goes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from nb_catalog import ratelimit
from nb_catalog.exceptions import (
    ContentRefused,
    DailyQuotaReached,
    Overloaded,
    RateLimited,
    ServiceUnavailable,
)
from nb_catalog.models import ImageJob, RateLimitState
from nb_catalog.worker import claims, queue
from tests import factories

pytestmark = pytest.mark.django_db

LITE, NANO = "gemini-3.1-flash-lite-image", "gemini-nano-banana-2.1"
NOON = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The time of the claims; set ``now.is_`` to move it."""

    class Now:
        is_ = NOON

    for place in ("worker.claims", "worker.queue", "ratelimit.limiter", "ratelimit.pauses"):
        monkeypatch.setattr(f"nb_catalog.{place}.database_now", lambda: Now.is_)
    return Now


@pytest.fixture
def limits(settings):
    def give(**given):
        table = {"gemini": {LITE: given}}
        settings.NB_CATALOG = {**settings.NB_CATALOG, "QUOTAS": table}

    return give


def paid(count, *, model=LITE, **fields):
    about = factories.product(photo=False)
    jobs = []
    for _ in range(count):
        asked = factories.spec(about, provider="gemini", model=model)
        jobs.append(factories.job(about, asked=asked, **fields))
    return jobs


def claimed(limit=100, *, owner="one"):
    return claims.claim(owner=owner, limit=limit, free=False)


def waits(jobs, monkeypatch=None):
    first = min((job.goes_at for job in jobs), default=0.0)
    return [round(job.goes_at - first, 3) for job in jobs]


def test_without_limits_nothing_is_counted():
    paid(3)
    assert [job.goes_at for job in claimed()] == [None] * 3
    assert not RateLimitState.objects.exists()


def test_a_claim_takes_no_more_than_the_slots_of_the_next_seconds(limits):
    limits(REQUESTS_PER_MINUTE=61, BURST=0)
    paid(10)
    jobs = claimed()
    assert waits(jobs) == pytest.approx([0, 1, 2], abs=0.01)
    assert ImageJob.objects.filter(state="queued").count() == 7


def test_two_claims_never_use_one_slot_twice(limits, now):
    limits(REQUESTS_PER_MINUTE=61, BURST=0)
    paid(10)
    assert len(claimed(2)) == 2
    assert len(claimed(owner="two")) == 1
    assert claimed(owner="three") == []
    now.is_ += timedelta(seconds=1)
    assert len(claimed(owner="three")) == 1


def test_a_burst_goes_at_once_after_a_rest(limits):
    limits(REQUESTS_PER_MINUTE=61, BURST=30)
    paid(40)
    at_once = [wait for wait in waits(claimed()) if wait < 0.3]
    assert len(at_once) == 31


def test_slots_are_taken_only_for_jobs_that_there_are(limits):
    limits(REQUESTS_PER_MINUTE=61, BURST=0)
    paid(1)
    claimed()
    paid(2)
    assert len(claimed()) == 2


def test_a_model_without_a_slot_does_not_hold_up_the_others(limits):
    limits(REQUESTS_PER_MINUTE=61, BURST=0)
    paid(50)
    paid(2, model=NANO)
    jobs = claimed(20)
    assert sorted(job.spec.model for job in jobs) == [LITE] * 3 + [NANO] * 2
    assert [job.goes_at for job in jobs if job.spec.model == NANO] == [None] * 2


def test_the_days_quota_ends_at_midnight_in_california(limits, now):
    limits(REQUESTS_PER_DAY=3)
    paid(5)
    assert len(claimed()) == 3
    assert claimed() == [] and not queue.slots_will_come()
    now.is_ = datetime(2026, 11, 26, 7, 59, tzinfo=UTC)
    assert claimed() == []
    now.is_ = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
    assert len(claimed()) == 2
    assert RateLimitState.objects.get().sent_today == 2


def test_calls_in_flight_are_counted_over_all_workers(limits):
    limits(IN_FLIGHT=4)
    jobs = paid(6)
    assert len(claimed(3)) == 3
    assert len(claimed(owner="two")) == 1
    assert claimed(owner="three") == [] and queue.slots_will_come()
    ImageJob.objects.filter(pk=jobs[0].pk).update(state="succeeded")
    assert len(claimed(owner="three")) == 1


def heed(error):
    ratelimit.record_backoff(error, provider="gemini", model=LITE)


@pytest.mark.parametrize("error", [RateLimited("Slow."), Overloaded("Busy.")])
def test_overload_halves_the_calls_in_flight_once_for_all_that_went_together(error, now):
    paid(8, state="calling")
    for _ in range(5):
        heed(error)
    assert ratelimit.in_flight_caps() == {("gemini", LITE): 4}
    now.is_ += timedelta(seconds=5)
    heed(error)
    assert ratelimit.in_flight_caps() == {("gemini", LITE): 2}


@pytest.mark.parametrize(
    "error", [ContentRefused("No."), DailyQuotaReached("Tomorrow."), ServiceUnavailable("A fault.")]
)
def test_other_errors_slow_nobody_down(error):
    paid(8, state="calling")
    heed(error)
    assert ratelimit.in_flight_caps() == {}


def test_a_cap_grows_back_and_is_gone(now):
    in_flight = paid(8, state="calling")
    heed(Overloaded("Busy."))
    paid(20)
    assert claimed() == [], "eight are out, four may be"
    ImageJob.objects.filter(pk__in=[job.pk for job in in_flight]).update(state="succeeded")
    assert len(claimed()) == 4
    now.is_ += timedelta(seconds=11)
    assert len(claimed()) == 2, "one more for each five seconds"
    assert ratelimit.in_flight_caps() == {("gemini", LITE): 6}
    now.is_ += timedelta(seconds=10)
    assert len(claimed()) == 14, "as before, and then without a cap"
    assert ratelimit.in_flight_caps() == {}


@pytest.mark.parametrize(("in_flight", "least"), [(1, 1), (8, 1), (32, 4)])
def test_a_queue_never_comes_to_a_halt(now, in_flight, least):
    paid(in_flight, state="calling")
    for _ in range(8):
        heed(Overloaded("Busy."))
        now.is_ += timedelta(seconds=5)
    assert ratelimit.in_flight_caps() == {("gemini", LITE): least}


def test_what_was_taken_is_given_back_when_the_claim_fails(limits):
    limits(REQUESTS_PER_MINUTE=61, BURST=0, REQUESTS_PER_DAY=10)
    paid(5)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        claimed()
        raise ZeroDivisionError
    assert len(claimed()) == 3


def test_a_late_order_counts_once_for_the_day(limits, now):
    limits(REQUESTS_PER_MINUTE=60, BURST=0, REQUESTS_PER_DAY=1)
    paid(2)
    [job] = claims.claim(owner="one", limit=10, free=False)
    assert claims.another_slot(job) is not None, "the day's only call has not gone out yet"
    assert RateLimitState.objects.get().sent_today == 1
    assert claimed() == []


def test_a_late_order_gets_another_slot_while_there_is_one(limits, now):
    limits(REQUESTS_PER_MINUTE=61, BURST=0)
    paid(3)
    job = claimed(1)[0]
    later = claims.another_slot(job)
    assert later is not None and later.goes_at - job.goes_at == pytest.approx(1, abs=0.1)
    claimed()
    assert claims.another_slot(job) is None


# Turns


def test_runs_take_turns(start_run):
    large, small = start_run(50), start_run(3)
    runs = [job.run_id for job in claims.claim(owner="one", limit=8, free=True)]
    assert runs == [large, small, large, small, large, small, large, large]


def test_a_run_that_starts_late_takes_its_turns_from_now_on(start_run):
    large = start_run(50)
    claims.claim(owner="one", limit=20, free=True)
    small = start_run(3)
    runs = [job.run_id for job in claims.claim(owner="one", limit=8, free=True)]
    assert sorted(runs[:6]) == [large] * 3 + [small] * 3
    assert runs[6:] == [large, large]


def test_a_person_who_waits_goes_before_everything(start_run):
    start_run(50)
    urgent = start_run(2, priority=10)
    runs = [job.run_id for job in claims.claim(owner="one", limit=4, free=True)]
    assert runs[:2] == [urgent, urgent]


@pytest.fixture
def start_run():
    from nb_catalog import generation
    from nb_catalog.generation import runs
    from tests.catalog.models import Mug

    factories.scene()

    def begin(pictures, **options):
        mugs = [factories.product().pk for _ in range(pictures)]
        plan = generation.plan_backgrounds(Mug.objects.filter(pk__in=mugs), scenes=["marble"])
        return runs.start_run(plan, **options).pk

    return begin


@pytest.mark.parametrize(("pictures", "priority"), [(3, 10), (25, 0)])
def test_few_pictures_are_as_urgent_as_who_waits_for_them(start_run, pictures, priority):
    run = start_run(pictures, priority=None)
    jobs = ImageJob.objects.filter(run_id=run)
    assert set(jobs.values_list("priority", flat=True)) == {priority}
    assert jobs.count() == pictures


def test_time_that_a_claim_waited_for_the_lock_is_not_added_to_the_slots(limits, now, monkeypatch):
    """The moment is read once the lock is held: what others took meanwhile is behind it."""
    limits(REQUESTS_PER_MINUTE=61, BURST=0)
    paid(6)
    claimed(3)
    locked = ratelimit.limiter._locked

    def waits_long(**which):
        rows = locked(**which)
        now.is_ += timedelta(seconds=30)
        return rows

    monkeypatch.setattr(ratelimit.limiter, "_locked", waits_long)
    before = time.monotonic()
    jobs = claimed()
    assert [round(job.goes_at - before) for job in jobs] == [0, 1, 2]

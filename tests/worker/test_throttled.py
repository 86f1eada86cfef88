"""Quotas through a whole worker: calls go out one by one, and no more of them at a time."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from nb_catalog.models import ImageJob, ProviderCall, RateLimitState
from nb_catalog.worker import claims, drain, execution
from tests.worker.conftest import PAID_TIERS

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = PAID_TIERS["draft"]["MODEL"]


@pytest.fixture
def limits(script, settings):
    def give(**given):
        settings.NB_CATALOG = {**settings.NB_CATALOG, "QUOTAS": {"paid": {MODEL: given}}}

    return give


def states():
    return set(ImageJob.objects.values_list("state", flat=True))


@pytest.fixture
def never_late(monkeypatch):
    """A machine that is busy with other things makes calls late, and those take other slots."""
    monkeypatch.setattr("nb_catalog.worker.execution.LATE", 3600.0)


def test_calls_go_out_at_the_pace_of_the_quota(script, start, limits, never_late, monkeypatch):
    limits(REQUESTS_PER_MINUTE=610, BURST=0)  # one in a tenth of a second
    slots, early = [], []
    find_slot = execution.find_slot

    async def seen(job, *, context):
        job = await find_slot(job, context=context)
        slots.append(job.goes_at)
        early.append(job.goes_at - time.monotonic())
        return job

    monkeypatch.setattr(execution, "find_slot", seen)
    start(25)
    drain()
    assert script.count == len(slots) == 25
    assert max(early) < 0.01, "none goes out before its slot"
    # Each claim reads the clock of the database beside its own: a moment may pass between the two.
    assert max(slots) - min(slots) > 1.4, "25 slots of a tenth of a second"


def test_no_more_calls_are_in_flight_than_the_quota_says(script, start, limits):
    limits(IN_FLIGHT=3)
    script.seconds = 0.05
    start(12)
    drain()
    assert script.most_in_flight == 3
    assert states() == {"succeeded"}


def test_a_drain_waits_for_slots_and_not_for_tomorrow(script, start, limits, never_late):
    limits(REQUESTS_PER_MINUTE=1220, BURST=0, REQUESTS_PER_DAY=45)
    start(50)
    drain()
    assert script.count == 45
    assert states() == {"succeeded", "queued"}
    assert RateLimitState.objects.get().sent_today == 45


@pytest.mark.parametrize(
    ("waited", "is_late"), [(None, False), (-60, False), (0, False), (60, True)]
)
def test_a_slot_is_missed_when_its_time_has_passed(waited, is_late):
    job = SimpleNamespace(goes_at=None if waited is None else time.monotonic() - waited)
    assert execution._is_late(job) is is_late


def test_who_missed_the_slot_takes_another(script, start, limits, monkeypatch):
    limits(REQUESTS_PER_MINUTE=6100, BURST=0)
    late, asked = set(), []

    def late_once(job):
        is_first = job.job_id not in late
        late.add(job.job_id)
        return is_first

    another = claims.another_slot
    monkeypatch.setattr(execution, "_is_late", late_once)
    monkeypatch.setattr(
        claims, "another_slot", lambda job: asked.append(job.job_id) or another(job)
    )
    start(9)
    for _ in range(100):
        drain(concurrency=4)
        if states() == {"succeeded"}:
            break
    assert states() == {"succeeded"}
    assert sorted(asked) == sorted(late) and len(late) == 9
    assert script.count == 9, "what missed its turn was not sent"


def test_a_call_whose_turn_is_over_when_it_is_on_record_is_not_sent(
    script, start, limits, monkeypatch
):
    limits(REQUESTS_PER_MINUTE=6100, BURST=0)
    late = iter([False, True])
    monkeypatch.setattr("nb_catalog.worker.execution._is_late", lambda job: next(late, False))
    start(1)
    for _ in range(2):
        drain()
    first, second = ProviderCall.objects.order_by("id")
    assert (first.outcome, first.cost_microusd) == ("not_sent", 0)
    assert second.outcome == "picture"
    assert script.count == 1

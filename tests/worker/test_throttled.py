"""Quotas through a whole worker: calls go out one by one, and no more of them at a time."""

from __future__ import annotations

import time

import pytest

from nb_catalog.exceptions import Overloaded
from nb_catalog.models import ImageJob, ProviderCall, RateLimitState
from nb_catalog.worker import Worker, claims, drain
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


def test_calls_go_out_at_the_pace_of_the_quota(script, start, limits):
    limits(REQUESTS_PER_MINUTE=610, BURST=0)  # one in a tenth of a second
    times = []
    script.add(*[lambda request: times.append(time.monotonic()) or Overloaded("Busy.")] * 25)
    start(25)
    worker = Worker()
    worker.run(seconds=4)
    assert len(times) >= 25
    gaps = [then - times[0] - number * 0.1 for number, then in enumerate(times[:25])]
    assert min(gaps) > -1.0, "no call is further ahead of its slot than another may be behind"
    assert times[24] - times[0] > 1.4


def test_no_more_calls_are_in_flight_than_the_quota_says(script, start, limits):
    limits(IN_FLIGHT=3)
    script.seconds = 0.05
    start(12)
    drain()
    assert script.most_in_flight == 3
    assert states() == {"succeeded"}


def test_a_drain_waits_for_slots_and_not_for_tomorrow(script, start, limits):
    limits(REQUESTS_PER_MINUTE=1220, BURST=0, REQUESTS_PER_DAY=45)
    start(50)
    drain()
    assert script.count == 45
    assert states() == {"succeeded", "queued"}
    assert RateLimitState.objects.get().sent_today == 45


def test_who_missed_the_slot_takes_another(script, start, limits, monkeypatch):
    """Few lines, and calls that last longer than a slot holds."""
    limits(REQUESTS_PER_MINUTE=6100, BURST=0)
    monkeypatch.setattr("nb_catalog.worker.execution.LATE", 0.3)
    asked = []
    another = claims.another_slot
    monkeypatch.setattr(claims, "another_slot", lambda job: asked.append(job) or another(job))
    script.seconds = 0.6
    start(9)
    for _ in range(5):
        drain(concurrency=4)
    assert asked and states() == {"succeeded"}
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

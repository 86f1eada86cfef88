"""GCRA as arithmetic: never more than the quota in any minute, and nearly all of it in use."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from nb_catalog.ratelimit.gcra import JITTER, next_slots, rate_of

START = datetime(2026, 11, 25, tzinfo=UTC)
QUOTAS = [1, 2, 7, 10, 60, 600, 2000]


def seconds(moment):
    return (moment - START).total_seconds()


def granted(per_minute, *, burst, minutes, asks):
    """When calls go that are asked for at the moments ``asks``, as many as there is room for."""
    arrival, gone = None, []
    for now in asks:
        if seconds(now) > minutes * 60:
            break
        it = next_slots(arrival, now=now, rate=rate_of(per_minute, burst=burst), until=now)
        for slot, then in it:
            gone.append(slot)
            arrival = then
    return gone


def most_in_a_minute(times):
    times = sorted(times)
    first, most = 0, 0
    for last, time in enumerate(times):
        while time - times[first] >= 60:
            first += 1
        most = max(most, last - first + 1)
    return most


def every(step, *, minutes):
    count = int(minutes * 60 / step)
    return [START + timedelta(seconds=step * number) for number in range(count)]


@pytest.mark.parametrize("per_minute", QUOTAS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5], ids=["no burst", "a fiftieth", "half"])
@pytest.mark.parametrize("seed", range(3))
def test_no_minute_at_the_service_sees_more_than_the_quota(per_minute, share, seed):
    """However late each call is, within the jitter that is allowed for."""
    burst = int(per_minute * share)
    draw = random.Random(seed)
    gone = granted(per_minute, burst=burst, minutes=5, asks=every(0.05, minutes=5))
    late = JITTER.total_seconds()
    arrived = [
        seconds(slot) + draw.choice([0.0, late * 0.999, draw.uniform(0, late)]) for slot in gone
    ]
    assert most_in_a_minute(arrived) <= per_minute


def test_a_burst_after_a_rest_is_counted_in():
    rest = [START] + [
        START + timedelta(seconds=90) + timedelta(seconds=n / 20) for n in range(4000)
    ]
    gone = granted(60, burst=20, minutes=10, asks=rest)
    at_once = [slot for slot in gone if slot == START + timedelta(seconds=90)]
    assert len(at_once) == 21, "the burst, and the one whose time it is"
    assert most_in_a_minute([seconds(slot) for slot in gone]) <= 60


@pytest.mark.parametrize("per_minute", [60, 600, 2000])
def test_nearly_all_of_the_quota_is_in_use(per_minute):
    gone = granted(per_minute, burst=per_minute // 50, minutes=10, asks=every(0.02, minutes=10))
    used = sum(60 <= seconds(slot) < 540 for slot in gone) / 8
    assert used >= per_minute * 0.95


def test_slots_lie_apart_up_to_the_horizon():
    until = START + timedelta(seconds=2)
    found = [
        slot for slot, _then in next_slots(None, now=START, rate=rate_of(61, burst=0), until=until)
    ]
    assert [seconds(slot) for slot in found] == [0.0, 1.0, 2.0]


def test_time_that_passed_unused_is_not_saved_up():
    arrival = START - timedelta(hours=1)
    until = START + timedelta(seconds=2)
    found = list(next_slots(arrival, now=START, rate=rate_of(61, burst=0), until=until))
    assert len(found) == 3

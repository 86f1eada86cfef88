"""How much a worker takes: what its lines can use, and of free work no more than a second's."""

from __future__ import annotations

import asyncio

import pytest

from nb_catalog.worker import concurrency
from nb_catalog.worker import db_writer as clerks
from nb_catalog.worker.concurrency import FreeLimit, PaidLimit
from nb_catalog.worker.db_writer import GroupCommitWriter


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(concurrency, "time", clock)
    return clock


def test_calls_start_a_few_at_a_time(clock):
    lane = PaidLimit(200)
    lane.open()
    assert lane.room(may_rest=False) == concurrency.FIRST_CALLS and lane.is_warming_up
    clock.now += concurrency.WARM_UP_SECONDS / 2
    assert lane.room(may_rest=False) == 125
    clock.now += concurrency.WARM_UP_SECONDS
    assert lane.room(may_rest=False) == 250 and not lane.is_warming_up


def test_a_little_room_is_not_worth_a_query(clock):
    lane = PaidLimit(64)
    lane.note_claim(80)
    for _ in range(4):
        lane.note_end()
        assert lane.room(may_rest=False) == 0
    lane.note_end()
    assert lane.room(may_rest=False) == 5


def test_an_empty_lane_rests_while_there_is_other_work(clock):
    lane = FreeLimit(2)
    lane.note_claim(0)
    assert lane.room(may_rest=True) == 0 and lane.room(may_rest=False) == 4
    clock.now += concurrency.REST_SECONDS
    assert lane.room(may_rest=True) == 4


def test_free_work_that_takes_no_time_is_taken_by_the_hundred(clock):
    lane = FreeLimit(2)
    for _ in range(10):
        taken = lane.room(may_rest=False)
        lane.note_claim(taken)
        clock.now += 0.05
        for _ in range(taken):
            lane.note_end()
    assert lane.capacity() == concurrency.MOST_FREE


def test_free_work_that_takes_long_is_left_to_others(clock):
    lane = FreeLimit(2)
    for _ in range(20):
        lane.note_claim(1)
        clock.now += 0.5
        lane.note_end()
    assert lane.capacity() == 4


# The clerk


@pytest.mark.parametrize(
    ("crowd", "entries", "commits"), [(3, 3, 1), (3, 2, 0), (1, 1, 1), (500, 100, 1), (0, 1, 0)]
)
def test_a_commit_waits_for_those_who_could_join_it(monkeypatch, crowd, entries, commits):
    """At once where all have something to write, or where there is enough of it."""
    monkeypatch.setattr(clerks, "WINDOW", 60.0)

    async def written():
        clerk, done = GroupCommitWriter(crowd=lambda: crowd), []

        async def commit(block):
            done.append(len(block))
            for _entry, future in block:
                future.set_result(True)

        monkeypatch.setattr(clerk, "_commit", commit)
        clerk.open()
        tasks = [asyncio.create_task(clerk.write(number)) for number in range(entries)]
        await asyncio.sleep(0.05)
        for each in tasks:
            each.cancel()
        clerk._writing.cancel()
        clerk._thread.shutdown()
        return done

    done = asyncio.run(written())
    assert done == ([entries] if commits else [])

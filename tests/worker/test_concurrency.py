"""How much a worker takes: what its call slots can use, and of free work no more than a second's."""

from __future__ import annotations

import asyncio

import pytest

from nb_catalog.worker import concurrency, db_writer
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
    limit = PaidLimit(200)
    limit.open()
    assert limit.free_slots(may_back_off=False) == concurrency.FIRST_CALLS and limit.is_warming_up
    clock.now += concurrency.WARM_UP_SECONDS / 2
    assert limit.free_slots(may_back_off=False) == 125
    clock.now += concurrency.WARM_UP_SECONDS
    assert limit.free_slots(may_back_off=False) == 250 and not limit.is_warming_up


def test_a_little_room_is_not_worth_a_query(clock):
    limit = PaidLimit(64)
    limit.record_claim(80)
    for _ in range(4):
        limit.record_end()
        assert limit.free_slots(may_back_off=False) == 0
    limit.record_end()
    assert limit.free_slots(may_back_off=False) == 5


def test_an_empty_queue_is_left_alone_while_there_is_other_work(clock):
    limit = FreeLimit(2)
    limit.record_claim(0)
    assert limit.free_slots(may_back_off=True) == 0 and limit.free_slots(may_back_off=False) == 4
    clock.now += concurrency.REST_SECONDS
    assert limit.free_slots(may_back_off=True) == 4


def test_free_work_that_takes_no_time_is_taken_by_the_hundred(clock):
    limit = FreeLimit(2)
    for _ in range(10):
        taken = limit.free_slots(may_back_off=False)
        limit.record_claim(taken)
        clock.now += 0.05
        for _ in range(taken):
            limit.record_end()
    assert limit.capacity() == concurrency.MOST_FREE


def test_free_work_that_takes_long_is_left_to_others(clock):
    limit = FreeLimit(2)
    for _ in range(20):
        limit.record_claim(1)
        clock.now += 0.5
        limit.record_end()
    assert limit.capacity() == 4


# The writer


@pytest.mark.parametrize(
    ("pending", "entries", "commits"), [(3, 3, 1), (3, 2, 0), (1, 1, 1), (500, 100, 1), (0, 1, 0)]
)
def test_a_commit_waits_for_those_who_could_join_it(monkeypatch, pending, entries, commits):
    """At once if all have something to write, or if there is enough of it."""
    monkeypatch.setattr(db_writer, "WINDOW", 60.0)

    async def written():
        writer, done = GroupCommitWriter(pending_count=lambda: pending), []

        async def commit(block):
            done.append(len(block))
            for _entry, future in block:
                future.set_result(True)

        monkeypatch.setattr(writer, "_commit", commit)
        writer.open()
        tasks = [asyncio.create_task(writer.write(number)) for number in range(entries)]
        await asyncio.sleep(0.05)
        for each in tasks:
            each.cancel()
        writer._task.cancel()
        writer._thread.shutdown()
        return done

    done = asyncio.run(written())
    assert done == ([entries] if commits else [])

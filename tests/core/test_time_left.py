"""The time left is held to what then happens: workers are simulated, and the prediction never sees how."""

import heapq
from random import Random

import pytest

from nb_catalog.core.time_left import (
    Pace,
    batch_seconds_left,
    in_steps,
    jobs_per_second,
    seconds_left,
)

WINDOW = 300.0


def ends(jobs, *, at_once, seconds, spread=0.2, stops=(), seed=1):
    """When each of ``jobs`` ends: ``at_once`` workers, or a function of the time; a call takes about
    ``seconds``, or a function of the time; nothing starts between the pairs of ``stops``."""
    chance, made, running, now = Random(seed), [], [], 0.0
    while len(made) + len(running) < jobs or running:
        for start, end in stops:
            if start <= now < end:
                now = end
        places = at_once(now) if callable(at_once) else at_once
        while len(running) < places and len(made) + len(running) < jobs:
            mean = seconds(now) if callable(seconds) else seconds
            heapq.heappush(running, now + mean * chance.uniform(1 - spread, 1 + spread))
        ended = heapq.heappop(running)
        made.append(ended)
        now = max(now, ended)
    return sorted(made)


def predicted(made, now, *, before=None):
    """The prediction at ``now`` by what its caller sees: the ends of the last minutes."""
    seen = [at for at in made if at <= now]
    start = max(0.0, now - WINDOW)
    pace = Pace(ended=sum(at > start for at in seen), seconds=now - start)
    rate = jobs_per_second(pace, before=before)
    return seconds_left(len(made) - len(seen), rate=rate)


def errors(made, *, since, until=0.9, before=None):
    """Relative errors of the predictions each 5 s, from ``since`` to where ``until`` of the jobs are made."""
    now, found, last = since, [], made[int(until * len(made))]
    while now < last:
        left = predicted(made, now, before=before)
        found.append(left / (made[-1] - now) - 1)
        now += 5
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("jobs", "at_once", "seconds"),
    [(600, 1, 1.0), (2000, 32, 20.0), (400, 4, 8.0), (300, 16, 40.0)],
    ids=["one thread", "paid", "local", "slow"],
)
def test_at_a_steady_rate_the_error_is_below_a_quarter(jobs, at_once, seconds, seed):
    made = ends(jobs, at_once=at_once, seconds=seconds, seed=seed)
    found = errors(made, since=max(60.0, 4 * seconds))
    assert found and max(map(abs, found)) < 0.25


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_after_a_change_of_the_rate_the_error_is_below_a_quarter_once_the_window_has_passed(factor):
    made = ends(
        6000, at_once=lambda now: 32 if now < 900 else int(32 * factor), seconds=20.0, seed=3
    )
    found = errors(made, since=900 + WINDOW)
    assert found and max(map(abs, found)) < 0.25


def test_a_rate_that_falls_is_noticed_within_the_window():
    made = ends(6000, at_once=lambda now: 32 if now < 900 else 8, seconds=20.0, seed=4)
    ahead = [predicted(made, 900 + each) for each in (0, 100, 200, 300)]
    assert ahead == sorted(ahead), "more and more time, and no jump at the end"


def test_while_nothing_ends_the_time_grows_and_afterwards_it_comes_back():
    made = ends(1500, at_once=8, seconds=5.0, stops=[(300, 400)], seed=5)
    at = {now: predicted(made, now) for now in (295, 350, 395, 720)}
    assert at[295] < at[350] < at[395] < 2.5 * at[295]
    assert abs(at[720] / (made[-1] - 720) - 1) < 0.25


@pytest.mark.parametrize("seed", range(5))
def test_the_end_that_is_predicted_does_not_jump(seed):
    """From one second to the next, by less than a sixth of what is left, even if calls end in bursts."""
    made = ends(1500, at_once=32, seconds=20.0, spread=0.1, seed=seed)
    before = Pace(ended=200, seconds=125.0)
    shown = [predicted(made, now, before=before) for now in range(0, int(made[-1]) - 60)]
    for earlier, later in zip(shown, shown[1:], strict=False):
        assert abs(later + 1 - earlier) < max(10.0, 0.15 * earlier)


def test_the_first_prediction_comes_from_other_runs_and_is_outvoted_by_this_one():
    made = ends(3000, at_once=16, seconds=20.0, seed=6)
    fast = Pace(ended=200, seconds=62.5)
    first = predicted(made, 0.0, before=fast)
    assert first == pytest.approx(3000 / 3.2)
    found = errors(made, since=WINDOW + 60, until=0.8, before=fast)
    assert max(map(abs, found)) < 0.35, "the other run was four times as fast"


@pytest.mark.parametrize(
    "pace", [None, Pace(ended=4, seconds=500), Pace(ended=50, seconds=29), Pace(ended=0, seconds=0)]
)
def test_too_little_says_nothing(pace):
    assert jobs_per_second(pace) is None
    assert seconds_left(7, rate=jobs_per_second(pace)) is None
    assert jobs_per_second(pace, before=Pace(ended=4, seconds=9)) is None


def test_time_is_never_negative_and_includes_a_pause():
    assert seconds_left(0, rate=None) == 0
    assert seconds_left(-3, rate=1.0) == 0
    assert seconds_left(10, rate=2.0, held_seconds=-50) == 5
    assert seconds_left(10, rate=2.0, held_seconds=60) == 65


def test_a_batch_is_compared_with_those_that_took_longer():
    earlier = [600.0, 1200.0, 1800.0, 2400.0, 3000.0]
    assert batch_seconds_left(0, durations=earlier) == 1800
    assert batch_seconds_left(1500, durations=earlier) == 900
    assert batch_seconds_left(2000, durations=earlier) is None, "two are too few"
    assert batch_seconds_left(0, durations=[]) is None


def test_steps_grow_with_the_time():
    shown = [in_steps(each) for each in (0, 1, 30, 31, 91, 599, 601, 3700, 7 * 3600 + 1)]
    assert shown == [30, 30, 30, 60, 120, 600, 900, 4500, 8 * 3600]

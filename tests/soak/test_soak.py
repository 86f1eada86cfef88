"""The soak in small; ``tests/benchmarks/bench_soak.py`` is the same with 2,000 jobs."""

import pytest

from nb_catalog.testing.gemini import BatchScript, GeminiServer, Rate
from nb_catalog.testing.gemini.faults import PASSING, STOPPING
from tests.batches.conftest import forget_the_rest
from tests.factories import OUR_RULES
from tests.soak import soak

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.story,
    pytest.mark.once,
    pytest.mark.matrix,
]


@pytest.fixture
def server():
    with GeminiServer(**OUR_RULES, keys={soak.KEY}, faults=soak.RATE, keep_bodies=False) as running:
        yield running


@pytest.fixture
def soaked(server, settings, monkeypatch):
    settings.NB_CATALOG = {**settings.NB_CATALOG, **soak.settings_for(server)}
    monkeypatch.setattr("nb_catalog.worker.outcomes.SHORTEST_WAIT", 0.01)
    return server


def test_three_spoiled_calls_in_ten_leave_books_that_are_right(soaked):
    run = soak.start(160)
    closed = soak.work_it_off()
    counts = soak.verify(soaked, run)
    assert counts["succeeded"] > 100
    assert len(soak.kinds_met(soaked)) > 20
    assert soak.kinds_met(soaked) & STOPPING and closed


def test_batches_of_spoiled_items_leave_books_that_are_right(soaked, monkeypatch):
    monkeypatch.setattr("nb_catalog.worker.batches.schedule.FIRST_WAIT", 0.0)
    items = Rate(0.3, seed=3, kinds=sorted(PASSING))
    soaked.batches.script(*[BatchScript(rate=items, shuffled=True)] * 20)
    run = soak.start(120, batch=True)
    for _ in range(8):
        forget_the_rest()
        soak.work_it_off(rounds=20)
    counts = soak.verify(soaked, run)
    assert counts["succeeded"] > 80
    assert soaked.request_log.for_operation("batch item")

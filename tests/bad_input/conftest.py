"""A run over products of which some are bad, worked on until nothing waits any more."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone

from nb_catalog import generation, worker
from nb_catalog.core.states import JobState
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob
from nb_catalog.testing import Script
from nb_catalog.worker.recovery import requeue_due
from tests import factories

LOCAL = {"draft": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"}}
PAID = {"draft": {"PROVIDER": "paid", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}}


@pytest.fixture
def local(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": LOCAL}


@pytest.fixture
def script(settings):
    """A paid provider's script; the only tier is paid."""
    script = Script()
    providers = {"paid": script.as_setting()}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": PAID, "PROVIDERS": providers}
    return script


@pytest.fixture
def start(monkeypatch):
    """start(*products): a run of a picture of each. Tries do not wait for one another."""
    monkeypatch.setattr("nb_catalog.worker.outcomes.SHORTEST_WAIT", 0.0)

    def start(*products, treatment="locked", **options):
        scene = factories.scene()
        plan = generation.plan_backgrounds(products, scenes=[scene], treatment=treatment, **options)
        return runs.start_run(plan)

    return start


def settle():
    """Work until nothing is queued and nothing waits to be tried again."""
    for _ in range(20):
        worker.drain()
        ImageJob.objects.filter(state=JobState.WAITING).update(not_before=timezone.now())
        if not requeue_due():
            return
    raise AssertionError("jobs wait for ever")


def job_of(product):
    return ImageJob.objects.about(product).get()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Each of ``acts`` in a thread with a connection of its own; what they answer or raise."""
    barrier = Barrier(len(acts))

    def run(act):
        try:
            barrier.wait(120)
            return act()
        except NBCatalogError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))

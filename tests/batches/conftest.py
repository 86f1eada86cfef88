"""A run whose pictures go through the local batch service; nobody waits between two looks."""

from collections import Counter

import pytest
from django.utils import timezone

from nb_catalog import generation, worker
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, ProviderBatch, ProviderCall
from nb_catalog.models.db.money import micros
from nb_catalog.testing.gemini import GeminiServer
from nb_catalog.worker.batches import queries, schedule
from tests import factories
from tests.catalog.models import Mug
from tests.factories import OUR_RULES
from tests.worker.conftest import money_is_sound

KEY = "test-key"
MODEL = "gemini-3.1-flash-lite-image"
TIERS = {"draft": {"PROVIDER": "gemini", "MODEL": MODEL, "SIZE": "1K"}}


@pytest.fixture
def server():
    with GeminiServer(**OUR_RULES, keys={KEY}) as running:
        yield running


@pytest.fixture
def catalog(settings, server):
    """Settings that a process of its own can be given as JSON."""
    options = {"api_key": KEY, "base_url": server.url}
    gemini = {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider", "OPTIONS": options}
    changes = {"PROVIDERS": {"gemini": gemini}, "TIERS": TIERS, "LEASE_SECONDS": 1.5}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **changes}
    return changes


@pytest.fixture
def start(catalog, monkeypatch):
    """start(n): a run of n pictures in batches, each of a product of its own."""
    monkeypatch.setattr(schedule, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(schedule, "GRACE", 0.0)

    def start(pictures=1, *, treatment="painted", budget_usd=None, **options):
        mugs = [factories.product() for _ in range(pictures)]
        plan = generation.plan_backgrounds(
            Mug.objects.filter(pk__in=[mug.pk for mug in mugs]),
            scenes=[factories.scene()],
            treatment=treatment,
            mode="batch",
            **options,
        )
        return runs.start_run(plan, budget_usd=budget_usd)

    return start


def drain(*, times=12, monkeypatch=None):
    """Work, and again for what comes back; a model rests for a minute after a failed batch."""
    for _ in range(times):
        worker.drain()
        if not worker.work_is_waiting():
            return


def forget_the_rest():
    """As if the minute's rest after a failed batch were over."""
    ProviderBatch.objects.filter(state="done").update(finished_at=timezone.now() - 2 * queries.REST)


def states():
    return Counter(ImageJob.objects.values_list("state", flat=True))


def books_agree(server):
    """Calls and money in the database are what the service's own books say."""
    sent = ProviderCall.objects.exclude(outcome="not_sent")
    billed = Counter(entry.key for entry in server.request_log.for_operation("batch item"))
    assert all(number == 1 for number in billed.values())
    known = sent.filter(cost_microusd__gt=0)
    told = {
        entry.key: micros(entry.billed_usd)
        for entry in server.request_log.for_operation("batch item")
        if entry.reports_usage
    }
    assert {f"{c.job_id}.{c.epoch}": c.cost_microusd for c in known} == told
    return money_is_sound()

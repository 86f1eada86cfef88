"""Several worker processes at one database: killed, frozen, too late, told to stop."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from decimal import Decimal

import pytest
from django.conf import settings as django_settings

from nb_catalog import worker
from nb_catalog.core.states import JOB_UNDERWAY
from nb_catalog.models import ImageJob, ProductImage, ProviderCall, Run
from nb_catalog.models.db.money import micros
from nb_catalog.testing.gemini import GeminiServer
from nb_catalog.worker import spool
from tests.factories import OUR_RULES
from tests.soak import soak
from tests.soak.crowd import PATIENCE, Crowd, wait_until
from tests.worker.conftest import money_is_sound

pytestmark = [pytest.mark.story, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server():
    with GeminiServer(**OUR_RULES, keys={soak.KEY}, delay=0.1) as running:
        yield running


@pytest.fixture
def catalog(settings, server):
    """Settings that a process of its own can be given as JSON; leases run out quickly."""
    changes = {**soak.settings_for(server), "LEASE_SECONDS": 2.0}
    # The service is sound here: what comes late comes from a busy machine.
    changes["PROVIDERS"]["gemini"]["OPTIONS"]["timeout"] = PATIENCE
    settings.NB_CATALOG = {**settings.NB_CATALOG, **changes}
    return changes


def underway():
    return ImageJob.objects.filter(state__in=JOB_UNDERWAY).exists()


def states():
    return Counter(ImageJob.objects.values_list("state", flat=True))


@pytest.mark.matrix
def test_kills_at_random_moments_lose_and_repeat_nothing(server, catalog):
    draw = random.Random(4)
    run = soak.start(120)
    with Crowd(3, catalog=catalog) as crowd:
        for _ in range(8):
            time.sleep(draw.uniform(0.3, 1.2))
            crowd.kill_one(draw)
        wait_until(lambda: not underway())
    time.sleep(django_settings.NB_CATALOG["LEASE_SECONDS"])
    worker.drain()  # what the last of them left behind
    assert set(states()) <= {"succeeded", "unknown"}
    soak.nothing_is_lost_or_repeated(server, run)


@pytest.mark.matrix
def test_who_wakes_up_late_harms_nothing(server, catalog):
    """SIGSTOP in the middle of a call, until others have called the job lost; SIGCONT."""
    server.delay = 8.0  # so long it must take at least to stop it after the call was seen
    soak.start(1)
    with Crowd(1, catalog=catalog) as crowd:
        frozen = crowd.processes[0]
        wait_until(lambda: server.in_flight == 1)
        crowd.freeze(frozen)
        time.sleep(django_settings.NB_CATALOG["LEASE_SECONDS"] + 0.5)
        worker.drain()
        assert states() == {"unknown": 1}
        os.kill(frozen.pid, signal.SIGCONT)
        wait_until(lambda: not states()["unknown"])
    assert states() == {"succeeded": 1}
    assert ProductImage.objects.count() == ProviderCall.objects.count() == server.count == 1
    assert not list(spool.names())
    money_is_sound()


@pytest.mark.matrix
def test_a_job_of_a_frozen_worker_is_taken_over_and_finished_once(catalog, settings):
    free = {"draft": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "2K"}}
    changes = {**catalog, "TIERS": free}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **changes}
    run = soak.start(6, treatment="locked")
    with Crowd(1, catalog=changes) as crowd:
        wait_until(lambda: ImageJob.objects.filter(state="calling").exists())
        crowd.freeze(crowd.processes[0])
        time.sleep(django_settings.NB_CATALOG["LEASE_SECONDS"] + 0.5)
        worker.drain()
        assert states() == {"succeeded": 6}
        os.kill(crowd.processes[0].pid, signal.SIGCONT)
        time.sleep(1)
    assert states() == {"succeeded": 6}
    assert ProductImage.objects.filter(job__run=run).count() == 6


@pytest.mark.matrix
def test_who_is_told_to_stop_finishes_what_is_in_flight_and_hands_the_rest_back(server, catalog):
    server.delay = 1.0
    run = soak.start(40)
    with Crowd(2, catalog=catalog) as crowd:
        wait_until(lambda: server.in_flight >= 4)
    assert {process.returncode for process in crowd.processes} == {0}
    assert set(states()) == {"succeeded", "queued"}
    assert states()["succeeded"] == server.count
    soak.nothing_is_lost_or_repeated(server, run)


@pytest.mark.matrix
def test_the_service_s_bill_never_passes_the_budget(server, catalog, settings):
    """Six processes that would spend three times as much: the service's own books stay below."""
    # Nobody is killed here, and a process that gets no CPU for a while must not lose its lease.
    changes = {**catalog, "DAILY_BUDGET_USD": "1.00", "LEASE_SECONDS": PATIENCE}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **changes}
    run = soak.start(90)
    with Crowd(6, catalog=changes, concurrency=5):
        wait_until(lambda: Run.objects.get(pk=run.pk).paused_reason == "day_budget")
        wait_until(lambda: not ImageJob.objects.filter(state__in=("leased", "calling")).exists())
    assert set(states()) == {"succeeded", "queued"}, "what there is no money for waits"
    billed = server.request_log.billed_usd
    assert Decimal("0.90") < billed <= Decimal("1.00")
    assert money_is_sound() == micros(billed)

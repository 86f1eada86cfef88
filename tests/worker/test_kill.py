"""SIGKILL at every point: free work runs again, paid work is adopted or unknown, nothing is
stuck, nothing is finished or paid twice. Real processes, a real database, real HTTP."""

import json
import os
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings
from django.db import connection

from nb_catalog import worker
from nb_catalog.models import ImageJob, ProductImage, ProviderCall, RunStart
from nb_catalog.testing.gemini import GeminiServer
from nb_catalog.worker import spool
from tests.cases import ordinary
from tests.catalog.models import Mug
from tests.factories import OUR_RULES
from tests.settings import ROOT, SCRATCH
from tests.soak.crowd import wait_until
from tests.worker.conftest import money_is_sound

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.story]

TIERS = {
    "draft": {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"},
    "free": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"},
}


@pytest.fixture
def server():
    with GeminiServer(**OUR_RULES) as server:
        yield server


@pytest.fixture
def catalog(settings, server):
    """Settings that a process of its own can be given as JSON; leases run out quickly."""
    options = {"api_key": "test-key", "base_url": server.url}
    gemini = {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider", "OPTIONS": options}
    changes = {"PROVIDERS": {"gemini": gemini}, "TIERS": TIERS, "LEASE_SECONDS": 1.0}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **changes}
    return changes


def worker_process(point, catalog):
    environment = {
        **os.environ,
        "NB_TEST_SCRATCH": str(SCRATCH),
        "NB_TEST_NAME": str(connection.settings_dict["NAME"]),
        "NB_TEST_CATALOG": json.dumps(catalog),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.worker.dying_worker", point],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def die_at(point, catalog):
    process = worker_process(point, catalog)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == -9, err


def pick_up():
    """What the next worker does once the dead one's leases have run out."""
    time.sleep(django_settings.NB_CATALOG["LEASE_SECONDS"] + 0.1)
    worker.drain()


@pytest.mark.parametrize(
    ("point", "state", "requests"),
    ordinary(
        [
            ("after claim", "succeeded", 1),
            ("after calling", "unknown", 0),
            ("after the answer", "unknown", 1),
            ("while staging", "unknown", 1),
            ("after staging", "succeeded", 1),
            ("after storing", "succeeded", 1),
            ("inside the commit", "succeeded", 1),
            ("after the commit", "succeeded", 1),
        ],
        chosen=["inside the commit"],
    ),
)
def test_a_paid_call_survives_a_kill(start, server, catalog, point, state, requests):
    start()
    die_at(point, catalog)
    pick_up()
    job = ImageJob.objects.get()
    assert (job.state, server.count) == (state, requests)
    assert ProductImage.objects.count() == (1 if state == "succeeded" else 0)
    assert ProviderCall.objects.count() == 1
    assert not list(spool.names())
    money_is_sound()


def test_a_kill_while_the_body_arrives_leaves_an_unknown_outcome(start, server, catalog):
    start()
    server.delay = 5
    process = worker_process("mid-body", catalog)
    wait_until(lambda: server.count)
    process.kill()
    process.communicate(timeout=30)
    pick_up()
    assert (ImageJob.objects.get().state, server.count) == ("unknown", 1)
    money_is_sound()


@pytest.mark.parametrize(
    "point",
    ordinary(
        ["after claim", "after calling", "after storing", "inside the commit"],
        chosen=["after calling"],
    ),
)
def test_free_work_runs_again_after_a_kill(start, catalog, point):
    start(treatment="locked", tier="free")
    die_at(point, catalog)
    pick_up()
    assert ImageJob.objects.get().state == "succeeded"
    assert ProductImage.objects.count() == 1


def test_a_large_run_is_written_to_its_end_after_a_kill(start, catalog, monkeypatch):
    monkeypatch.setattr("nb_catalog.generation.runs.LARGE_RUN", 2)
    monkeypatch.setattr("nb_catalog.generation.run_starts.BLOCK_PICTURES", 2)
    run = start(5, treatment="locked", tier="free")
    die_at("while a run is written", catalog)
    assert RunStart.objects.get().written == 2 and run.jobs.count() == 2
    pick_up()
    assert not RunStart.objects.exists()
    assert sorted(run.jobs.values_list("object_id", flat=True)) == sorted(
        str(key) for key in Mug.objects.values_list("pk", flat=True)
    )
    assert set(run.jobs.values_list("state", flat=True)) == {"succeeded"}

"""A Gemini text model on a local server, and the shop's account with it."""

import pytest

from nb_catalog.models import ImageJob
from nb_catalog.testing.gemini import GeminiServer
from nb_catalog.worker import drain
from tests import factories
from tests.factories import OUR_RULES

KEY = "a-key-of-the-shop"
OPTIONS = {"model": "a-text-model", "usd_per_million": {"input": "1", "output": "10"}}


def carried_out(run):
    """The only job of ``run``, once a worker has found nothing more to do."""
    drain()
    return ImageJob.objects.select_related("run").get(run=run.pk)


@pytest.fixture(autouse=True)
def retries_wait(monkeypatch):
    """Longer than any test: what is to be tried again is seen waiting, however slow the machine is."""
    monkeypatch.setattr("nb_catalog.worker.outcomes.SHORTEST_WAIT", 600.0)


@pytest.fixture
def server():
    with GeminiServer(**OUR_RULES, keys={KEY}, text_models={OPTIONS["model"]}) as running:
        yield running


@pytest.fixture
def providers(settings, server):
    """Those of the tests, and the account."""
    gemini = {
        "BACKEND": "nb_catalog.providers.gemini.GeminiProvider",
        "OPTIONS": {"api_key": KEY, "base_url": server.url, "timeout": 5},
    }
    return {**settings.NB_CATALOG["PROVIDERS"], "gemini": gemini}


@pytest.fixture
def root(client):
    client.force_login(factories.superuser())
    return client

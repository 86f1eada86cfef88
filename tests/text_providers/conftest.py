"""A Gemini text model on a local server, and the shop's account with it."""

import pytest

from nb_catalog.testing.gemini import GeminiServer
from tests import factories

KEY = "a-key-of-the-shop"
OPTIONS = {"model": "a-text-model", "usd_per_million": {"input": "1", "output": "10"}}


@pytest.fixture
def server():
    with GeminiServer(keys={KEY}, text_models={OPTIONS["model"]}) as running:
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

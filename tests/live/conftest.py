import pytest

from nb_catalog.live import feeds
from tests import factories
from tests.live import server


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(feeds, "POLL_SECONDS", 0.05)


@pytest.fixture
def port(transactional_db):
    with server.serving() as port:
        yield port


@pytest.fixture
def root(client, transactional_db):
    client.user = factories.superuser()
    client.force_login(client.user)
    return client

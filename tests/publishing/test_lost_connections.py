"""A database that closes its connections (restarted, failed over, idle for too long) delays what is due, and
ends none of the threads that do it."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import InterfaceError, connection

from nb_catalog import webhooks
from nb_catalog.models import WebhookDelivery
from nb_catalog.publishing import upkeep
from nb_catalog.webhooks import sending
from tests.webhooks.conftest import receiver  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db(transaction=True)

CLOSE_OTHERS = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mysql": "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
}
PATIENCE = 20.0


class Passes:
    """Counts what ``_publish`` and ``_maintain`` begin and end without an error."""

    def __init__(self, monkeypatch):
        self.counts = {}
        for name, step in (
            ("publications", "work_on_publications"),
            ("upkeep", "has_due"),
        ):
            monkeypatch.setattr(upkeep, step, self.counted(name, getattr(upkeep, step)))

    def counted(self, name, function):
        def call(**options):
            result = function(**options)
            self.counts[name] = self.counts.get(name, 0) + 1
            return result

        return call

    def wait_for_more(self):
        before, deadline = dict(self.counts), time.monotonic() + PATIENCE
        while any(
            self.counts.get(name, 0) <= before.get(name, 0) for name in ("publications", "upkeep")
        ):
            assert time.monotonic() < deadline, (before, self.counts)
            time.sleep(0.02)


def close_the_connections_of_others():
    with connection.cursor() as cursor:
        cursor.execute(CLOSE_OTHERS[connection.vendor])
        keys = [row[0] for row in cursor.fetchall()]
        assert len(keys) >= 3, "one for each thread"
        if connection.vendor == "mysql":
            for key in keys:
                cursor.execute(f"KILL {int(key)}")


@pytest.mark.story
def test_threads_go_on_after_the_database_has_closed_their_connections(
    receiver,  # noqa: F811
    monkeypatch,
):
    if connection.vendor not in CLOSE_OTHERS:
        pytest.skip("SQLite has no server that could close a connection.")
    monkeypatch.setattr(upkeep, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(sending, "POLL_SECONDS", 0.05)
    passes, endpoint = Passes(monkeypatch), receiver.endpoint()
    with webhooks.in_background(), upkeep.in_background():
        for turn in (1, 2, 3):
            webhooks.send_test(endpoint)
            receiver.wait_for(lambda counts, turn=turn: counts["/ok"] >= turn)
            passes.wait_for_more()
            if turn < 3:
                close_the_connections_of_others()
    assert not WebhookDelivery.objects.exclude(state="delivered").exists()


@pytest.mark.parametrize("error", [InterfaceError("closed"), ValueError("of the host")])
def test_an_unforeseen_error_does_not_end_a_thread(monkeypatch, caplog, error):
    monkeypatch.setattr(upkeep, "POLL_SECONDS", 0.01)
    errors, went_on = [error], threading.Event()

    def breaks(**options):
        if errors:
            raise errors.pop()
        went_on.set()
        return False

    monkeypatch.setattr(upkeep, "work_on_publications", breaks)
    with upkeep.in_background():
        assert went_on.wait(PATIENCE)
    assert "tried again" in caplog.text

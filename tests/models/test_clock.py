"""The clock that all machines share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from nb_catalog.models.db import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch):
    """The database's clock is five minutes ahead; how often it was asked."""
    times = []
    ahead = timedelta(minutes=5)

    class Cursor:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def execute(self, question):
            times.append(question)

        def fetchone(self):
            return ((timezone.now() + ahead).replace(tzinfo=None),)

    monkeypatch.setattr(clock, "_QUERIES", {connection.vendor: "the time"})
    monkeypatch.setattr(clock, "_compared", {})
    monkeypatch.setattr(connection, "cursor", Cursor)
    return times


def off_by(moment):
    return (moment - timezone.now()).total_seconds()


def test_the_databases_clock_decides(asked):
    assert off_by(clock.database_now()) == pytest.approx(300, abs=1)
    assert off_by(clock.known_now()) == pytest.approx(300, abs=1)


def test_it_is_asked_once_in_a_while(asked, monkeypatch):
    for _ in range(5):
        clock.database_now()
    assert len(asked) == 1
    monkeypatch.setattr(clock, "HOLDS_SECONDS", -1.0)
    clock.database_now()
    assert len(asked) == 2


def test_it_is_asked_again_when_this_machines_clock_jumped(asked, monkeypatch):
    clock.database_now()
    later = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(clock.timezone, "now", lambda: later)
    clock.database_now()
    assert len(asked) == 2


def test_nobody_is_asked_by_what_must_not_touch_the_database(asked):
    assert off_by(clock.known_now()) == pytest.approx(0, abs=1)
    assert not asked


def test_a_real_database_agrees_with_itself():
    now = clock.database_now()
    assert now.tzinfo is not None
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)

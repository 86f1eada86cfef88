"""The pace kept in Redis: as exact as the database's, and closed while Redis is away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nb_catalog.checks import check_settings
from nb_catalog.core import quotas
from nb_catalog.core.quotas import Quotas
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.ratelimit import redis_pace
from tests.engines.test_celery import redis
from tests.services import free_port
from tests.throttle.test_gates import LITE, NANO, claimed, paid, waits
from tests.throttle.test_slots import most_in_a_minute

NOON = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def url():
    with redis() as address:
        yield address


@pytest.fixture
def chosen(settings, url, request):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "THROTTLE_REDIS_URL": url}
    # A provider of its own for each test: Redis remembers.
    return f"gemini-{request.node.name}"


@pytest.mark.parametrize(("per_minute", "burst"), [(7, 0), (60, 20), (600, 12)])
def test_no_minute_sees_more_than_the_quota_and_nearly_all_is_used(chosen, per_minute, burst):
    given, now = [], NOON
    asked = Quotas(per_minute=per_minute, burst=burst)
    while now < NOON + timedelta(minutes=4):
        found = redis_pace.take(
            chosen, LITE, asked, wanted=1000, now=now, until=now + timedelta(seconds=2)
        )
        given += [(now - NOON + wait).total_seconds() for wait in found]
        now += timedelta(seconds=0.5)
    assert given == sorted(given)
    assert most_in_a_minute(given) <= per_minute
    used = sum(60 <= moment < 240 for moment in given) / 3
    assert used >= (per_minute - burst) * 0.97


def test_two_workers_never_use_one_slot_twice(chosen):
    asked = Quotas(per_minute=610, burst=0)
    ends = NOON + timedelta(seconds=2)
    first = redis_pace.take(chosen, LITE, asked, wanted=5, now=NOON, until=ends)
    second = redis_pace.take(chosen, LITE, asked, wanted=100, now=NOON, until=ends)
    assert len({*first, *second}) == len(first) + len(second) == 21


@pytest.mark.django_db
def test_a_claim_takes_its_slots_from_redis(settings, chosen, monkeypatch):
    monkeypatch.setattr("nb_catalog.ratelimit.limiter.database_now", lambda: NOON)
    limits = {"gemini": {LITE: {"REQUESTS_PER_MINUTE": 61, "BURST": 0}}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LIMITS": limits}
    monkeypatch.setattr(redis_pace, "PREFIX", chosen)
    redis_pace._at.cache_clear()
    paid(10)
    paid(2, model=NANO)
    orders = claimed(20)
    mine = [order for order in orders if order.recipe.model == LITE]
    assert waits(mine) == pytest.approx([0, 1, 2], abs=0.1)
    assert len(orders) == 5, "the other model is not held up"
    assert [order.recipe.model for order in claimed(20)] == []
    assert quotas.quotas_of("gemini", LITE).per_minute == 61


@pytest.mark.django_db
def test_while_redis_is_away_nothing_is_sent_to_what_has_a_quota(settings, caplog):
    limits = {"gemini": {LITE: {"REQUESTS_PER_MINUTE": 61}}}
    gone = f"redis://127.0.0.1:{free_port()}/0"
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LIMITS": limits, "THROTTLE_REDIS_URL": gone}
    paid(3)
    paid(2, model=NANO)
    assert {order.recipe.model for order in claimed()} == {NANO}
    assert "Redis does not answer" in caplog.text and gone not in caplog.text


@pytest.mark.parametrize("given", ["localhost", 6379, None])
def test_what_is_no_address_is_told(settings, given):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "THROTTLE_REDIS_URL": given}
    assert [each.id for each in check_settings()] == ["nb_catalog.E001"]


def test_the_packages_are_an_extra(settings, monkeypatch):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "THROTTLE_REDIS_URL": "redis://x:1/0"}
    assert check_settings() == []
    monkeypatch.setattr("nb_catalog.checks.settings.find_spec", lambda name: None)
    assert [each.id for each in check_settings()] == ["nb_catalog.E008"]
    monkeypatch.setitem(__import__("sys").modules, "pyrate_limiter", None)
    with pytest.raises(InvalidSettings, match="pip install"):
        redis_pace._packages()

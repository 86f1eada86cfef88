"""The daybook's few lines say what all the calls say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps

from nb_catalog import billing
from nb_catalog.models import ProviderCall, SpendLine
from tests import factories
from tests.ledger.conftest import LITE, NANO

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 20)
COLUMNS = ("day", "model", "tier", "scene", "user", "calls", "spent_microusd")


def lines():
    return sorted(SpendLine.objects.values_list(*COLUMNS))


def test_calls_that_are_alike_are_one_line(called):
    anna = factories.staff(name="anna")
    for cost in (10, 20):
        called(cost=cost, actor=anna)
    called(cost=5, model=NANO, tier="premium", scene="oak")
    assert lines() == [
        (DAY, LITE, "draft", "marble", str(anna.pk), 2, 30),
        (DAY, NANO, "premium", "oak", "", 1, 5),
    ]


def test_a_call_of_unknown_cost_has_no_line_until_it_is_settled(called):
    call = called(cost=None, outcome="unknown")
    assert lines() == []
    before = billing.report(first=DAY, last=DAY)
    assert (before.total.calls, before.total.open_usd) == (1, Decimal("0.036"))
    billing.settle_by_hand([call.pk], cost_microusd=7)
    after = billing.report(first=DAY, last=DAY)
    assert (after.total.calls, after.total.open_usd) == (1, 0)
    assert lines() == [(DAY, LITE, "draft", "marble", "", 1, 7)]


def test_who_is_gone_is_nobody_in_the_report(called):
    anna = factories.staff(name="anna")
    called(cost=10, actor=anna)
    anna.delete()
    assert [line.name for line in billing.report(first=DAY, last=DAY).users] == ["-"]


def test_the_migration_enters_what_was_settled_before(called):
    """Calls of the first versions say neither tier nor scene."""
    anna = factories.staff(name="anna")
    for days in (0, 0, -1):
        called(cost=10, actor=anna, days=days, tier="premium", scene="oak")
    called(cost=None, outcome="unknown")
    kept = lines()
    SpendLine.objects.all().delete()
    ProviderCall.objects.update(tier="", scene="")
    migration = import_module("nb_catalog.migrations.0005_daybook")
    migration.name_tier_and_scene(apps, None)
    migration.enter(apps, None)
    assert lines() == kept
    assert set(ProviderCall.objects.values_list("scene", flat=True)) == {"oak", "marble"}

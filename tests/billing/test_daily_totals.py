"""The daybook's few lines say what all the calls say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from nb_catalog import billing
from nb_catalog.models import DailySpendTotal
from tests import factories
from tests.billing.conftest import LITE, NANO

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 20)
COLUMNS = ("day", "model", "tier", "scene", "user", "calls", "spent_microusd")


def lines():
    return sorted(DailySpendTotal.objects.values_list(*COLUMNS))


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
    billing.settle_manually([call.pk], cost_microusd=7)
    after = billing.report(first=DAY, last=DAY)
    assert (after.total.calls, after.total.open_usd) == (1, 0)
    assert lines() == [(DAY, LITE, "draft", "marble", "", 1, 7)]


def test_who_is_gone_is_nobody_in_the_report(called):
    anna = factories.staff(name="anna")
    called(cost=10, actor=anna)
    anna.delete()
    assert [line.name for line in billing.report(first=DAY, last=DAY).users] == ["-"]

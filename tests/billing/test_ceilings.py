"""A call that costs more than was reserved raises what is reserved for the next ones."""

from datetime import timedelta
from decimal import Decimal

import pytest

from nb_catalog import generation, worker
from nb_catalog.models import CostCeiling, DailyBudget, ProviderCall, Run
from tests import factories
from tests.catalog.models import Mug
from tests.worker.conftest import money_is_sound, script, start

__all__ = ["script", "start"]

pytestmark = pytest.mark.django_db(transaction=True)

USAGE = {"prompt": 1240, "candidates": 1120, "thoughts": 20_000, "total": 22_360, "image": 1120}
# 1,240 x 0.25 + 1,120 x 30 + 20,000 x 1.50 dollars per million tokens.
COST = 63_910


def test_the_next_call_reserves_what_the_last_one_cost(script, start):  # noqa: F811
    script.usage = USAGE
    start(2)
    worker.Worker(concurrency=1).run(until_idle=True)
    first, second = ProviderCall.objects.order_by("pk")
    assert (first.cost_microusd, second.cost_microusd) == (COST, COST)
    assert first.estimate_microusd < COST == second.estimate_microusd
    money_is_sound()


def test_a_daily_budget_is_exceeded_by_the_calls_in_flight_only(script, start, settings):  # noqa: F811
    settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": "0.40"}
    script.usage = USAGE
    start(20)
    worker.Worker(concurrency=1).run(until_idle=True)
    day = DailyBudget.objects.get()
    # One call at a time: the first one goes beyond its reservation, and the budget has room for that.
    assert day.spent_microusd == 6 * COST <= 400_000
    assert Run.objects.get().paused_reason == "day_budget"


def test_plans_show_it_and_forget_it_after_a_month(script, start):  # noqa: F811
    script.usage = USAGE
    start()
    worker.drain()

    def price():
        factories.product()
        return generation.plan_backgrounds(
            Mug.objects.all(), scenes=["marble"], treatment="painted"
        ).price_each_usd

    assert price() == Decimal(COST) / 10**6
    ceiling = CostCeiling.objects.get()
    assert (ceiling.model, ceiling.size, ceiling.mode) == (
        "gemini-3.1-flash-lite-image", "1K", "direct",
    )  # fmt: skip
    CostCeiling.objects.update(seen_at=ceiling.seen_at - timedelta(days=31))
    assert price() < Decimal("0.04")


def test_a_cheaper_call_lowers_nothing_and_an_expected_one_records_nothing(script, start):  # noqa: F811
    start()
    worker.drain()
    assert not CostCeiling.objects.exists()
    for thoughts in (20_000, 10_000):
        script.usage = {**USAGE, "thoughts": thoughts, "total": 2_360 + thoughts}
        start()
        worker.drain()
    assert CostCeiling.objects.get().cost_microusd == COST

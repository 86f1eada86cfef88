"""A paid provider that follows a script, and a run to be worked on."""

import pytest

from nb_catalog import generation
from nb_catalog.generation import runs
from nb_catalog.models import ProviderCall, Run
from nb_catalog.testing.scripted import Script
from tests import factories
from tests.catalog.models import Mug

PAID_TIERS = {
    "draft": {"PROVIDER": "paid", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"},
}


@pytest.fixture
def script(settings):
    """The paid provider's script; the only tier is paid, and retries do not wait."""
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"paid": script.as_setting()},
        "TIERS": PAID_TIERS,
    }
    return script


@pytest.fixture
def start(monkeypatch):
    """start(n): a run of n pictures, each of a product of its own."""
    monkeypatch.setattr("nb_catalog.worker.outcomes.SHORTEST_WAIT", 0.0)

    def start(pictures=1, *, treatment="painted", budget_usd=None, **options):
        mugs = [factories.product() for _ in range(pictures)]
        plan = generation.plan_backgrounds(
            Mug.objects.filter(pk__in=[mug.pk for mug in mugs]),
            scenes=[factories.scene()],
            treatment=treatment,
            **options,
        )
        return runs.start_run(plan, budget_usd=budget_usd)

    return start


def money_is_sound():
    """What the runs and days say adds up to what the calls say, to the micro-dollar."""
    from django.db.models import Sum

    from nb_catalog.models import DailyBudget, DailySpendTotal

    calls = ProviderCall.objects.all()
    spent = sum(call.cost_microusd or 0 for call in calls)
    reserved = sum(call.estimate_microusd for call in calls if call.cost_microusd is None)
    for rows in (Run.objects.all(), DailyBudget.objects.all()):
        sums = rows.aggregate(spent=Sum("spent_microusd"), reserved=Sum("reserved_microusd"))
        assert (sums["spent"] or 0, sums["reserved"] or 0) == (spent, reserved)
    assert (DailySpendTotal.objects.aggregate(sum=Sum("spent_microusd"))["sum"] or 0) == spent
    return spent

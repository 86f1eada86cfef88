"""Calls whose cost nobody knows, for pictures and texts alike: settled in the admin, in every purse."""

from __future__ import annotations

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db.models import Sum

from nb_catalog import billing
from nb_catalog.models import DailyBudget, DailyBudgetShare, DailySpendTotal, ProviderCall
from nb_catalog.operations import status
from tests import factories
from tests.billing.conftest import ESTIMATE, NOON
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db

LIST = "/admin/nb_catalog/providercall/"
MAY_SETTLE = ("nb_catalog.view_providercall", "nb_catalog.reconcile")


@pytest.fixture
def asked(called):
    """A request for texts that went out, with its money in all purses."""

    def call(*, cost=None, outcome="unknown", **columns):
        return called(cost=cost, outcome=outcome, tier="text", scene="", **columns)

    return call


def money_is_sound():
    """What days and shares say adds up to what the calls say, to the micro-dollar; what was spent."""
    calls = ProviderCall.objects.all()
    spent = sum(call.cost_microusd or 0 for call in calls)
    reserved = sum(call.estimate_microusd for call in calls if call.cost_microusd is None)
    for rows in (
        DailyBudget.objects.all(),
        DailyBudgetShare.objects.filter(kind="tier", name="text"),
    ):
        sums = rows.aggregate(spent=Sum("spent_microusd"), reserved=Sum("reserved_microusd"))
        assert (sums["spent"] or 0, sums["reserved"] or 0) == (spent, reserved)
    assert (DailySpendTotal.objects.aggregate(sum=Sum("spent_microusd"))["sum"] or 0) == spent
    return spent


def costs():
    return dict(ProviderCall.objects.values_list("pk", "cost_microusd"))


def test_reports_count_what_is_open(asked):
    asked()
    asked(cost=400, outcome="texts")
    report = billing.report(first=NOON.date(), last=NOON.date())
    assert [(line.name, line.calls) for line in report.tiers] == [("text", 2)]
    assert (report.total.spent_usd * 10**6, report.total.open_usd * 10**6) == (400, ESTIMATE)
    found = status.collect()
    assert (found.open_calls, found.open_usd * 10**6) == (1, ESTIMATE)


def test_a_deleted_content_type_leaves_the_ledger(asked):
    """The jobs about a model go with it; what they have cost stays, and can be settled still."""
    anna = factories.superuser("anna")
    call, known = asked(actor=anna), asked(cost=400, outcome="texts", actor=anna)
    ContentType.objects.get_for_model(Mug).delete()
    ContentType.objects.clear_cache()
    call.refresh_from_db()
    assert (call.job, call.cost_microusd, known.pk in costs()) == (None, None, True)
    assert billing.settle_manually([call.pk], cost_microusd=700, actor=anna) == 1
    assert money_is_sound() == 1_100
    shares = DailyBudgetShare.objects.filter(kind="user", name=str(anna.pk))
    assert shares.get().spent_microusd == 1_100


# The admin.


@pytest.mark.parametrize("action", ["not_billed", "billed"])
def test_they_are_settled_in_the_admin_by_who_may(client, asked, action):
    call, known = asked(), asked(cost=400, outcome="texts")
    chosen = {"action": action, "_selected_action": [call.pk, known.pk]}
    client.force_login(factories.staff("nb_catalog.view_providercall"))
    client.post(LIST, {**chosen, "confirmed": "yes"})
    assert costs()[call.pk] is None, "seeing is not settling"
    anna = factories.staff(*MAY_SETTLE, name="anna")
    client.force_login(anna)
    page = client.post(LIST, chosen).content.decode()
    assert "<strong>$0.0360</strong>" in page and "This cannot be undone" in page
    assert "gemini" in page and f'href="{LIST}"' in page
    assert ("will be released" if action == "not_billed" else "will be recorded as spent") in page
    assert ('name="usd"' in page) == (action == "billed")
    assert costs()[call.pk] is None, "asking is not settling"
    shown = client.post(LIST, {**chosen, "confirmed": "yes", "usd": ""}, follow=True)
    assert "1 call settled. 1 call was not changed" in shown.content.decode()
    assert costs()[call.pk] == (0 if action == "not_billed" else ESTIMATE)
    assert ProviderCall.objects.get(pk=call.pk).settled_by == anna
    money_is_sound()
    assert "anna" in client.get(f"{LIST}{call.pk}/change/").content.decode()


def test_an_amount_of_the_bill_is_booked(client, asked):
    call = asked()
    client.force_login(factories.superuser())
    chosen = {"action": "billed", "_selected_action": [call.pk], "confirmed": "yes"}
    for wrong in ("-1", "much", "1001"):
        page = client.post(LIST, {**chosen, "usd": wrong}).content.decode()
        assert 'class="errorlist"' in page and f'value="{wrong}"' in page
        assert costs() == {call.pk: None}
    client.post(LIST, {**chosen, "usd": "0.0012"})
    assert costs() == {call.pk: 1_200}
    assert money_is_sound() == 1_200


def test_the_list_can_show_what_is_open_alone(client, asked):
    call = asked()
    asked(cost=400, outcome="texts")
    client.force_login(factories.superuser())
    shown = client.get(LIST, {"open": "yes"})
    assert list(shown.context["cl"].result_list) == [call]


def test_there_may_be_nothing_to_settle(client, asked):
    client.force_login(factories.superuser())
    chosen = {"action": "billed", "_selected_action": [asked(cost=1, outcome="texts").pk]}
    page = client.post(LIST, chosen).content.decode()
    assert "Nothing to settle" in page and "confirmed" not in page

"""Requests for texts whose cost nobody knows: listed and settled as calls are, in every purse."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from nb_catalog import billing
from nb_catalog.billing import budgets, paid_requests
from nb_catalog.models import DailyBudget, DailyBudgetShare, DailySpendTotal, TextCall
from nb_catalog.models.db.clock import database_now
from nb_catalog.operations import status
from tests import factories
from tests.billing.conftest import ESTIMATE, NOON

pytestmark = pytest.mark.django_db

EACH = 900
LIST = "/admin/nb_catalog/textcall/"
MAY_SETTLE = ("nb_catalog.view_textcall", "nb_catalog.reconcile")


def asked(*, cost=None, outcome="unknown", actor=None, at=NOON, **columns):
    """A request for texts that went out, with its money in all purses."""
    assert budgets.reserve_text_request(actor, EACH, day=at.date()) is None
    call = TextCall.objects.create(
        locale="de", translator="Gemini (a-text-model)", model="a-text-model", actor=actor,
        estimate_microusd=EACH, cost_microusd=cost, outcome=outcome, started_at=at, **columns,
    )  # fmt: skip
    if cost is not None:
        budgets.settle_text_request(call)
    return call


def money_is_sound():
    """What days and shares say adds up to what the requests say, to the micro-dollar; what was spent."""
    calls = TextCall.objects.all()
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


def reconcile(*arguments, **options):
    out = StringIO()
    call_command("nb_reconcile", *arguments, stdout=out, **options)
    return out.getvalue()


def costs():
    return dict(TextCall.objects.values_list("pk", "cost_microusd"))


def test_what_is_out_or_known_is_not_open():
    asked(cost=400, outcome="answered")
    asked(cost=0, outcome="not_sent")
    asked(outcome="in_flight", at=database_now())
    lost, failed = asked(), asked(outcome="failed", at=NOON + timedelta(hours=1))
    died = asked(outcome="in_flight", at=database_now() - paid_requests.MAX_AGE)
    assert list(billing.unsettled_text_calls()) == [lost, failed, died]
    assert billing.unsettled_total(billing.unsettled_text_calls()) == 3 * EACH


@pytest.mark.parametrize(("cost", "booked"), [(0, 0), (None, EACH), (1_200, 1_200)])
def test_a_person_s_word_is_booked_in_every_purse_once(cost, booked):
    anna = factories.superuser("anna")
    call, other = asked(actor=anna), asked(actor=anna)
    settle = billing.settle_text_calls_manually
    assert settle([call.pk], cost_microusd=cost, actor=anna) == 1
    assert settle([call.pk], cost_microusd=99, actor=None) == 0
    call.refresh_from_db()
    assert (call.cost_microusd, call.settled_by) == (booked, anna)
    assert call.settled_at is not None and call.outcome == "unknown"
    assert costs()[other.pk] is None
    assert money_is_sound() == booked
    shares = DailyBudgetShare.objects.values_list("kind", "spent_microusd", "reserved_microusd")
    assert set(shares) == {("tier", booked, EACH), ("user", booked, EACH)}


def test_one_that_died_in_flight_is_unknown_once_it_is_settled():
    young = asked(outcome="in_flight", at=database_now())
    died = asked(outcome="in_flight", at=NOON)
    keys = [young.pk, died.pk]
    assert billing.settle_text_calls_manually(keys, cost_microusd=0) == 1
    died.refresh_from_db()
    young.refresh_from_db()
    assert (died.outcome, died.error_code, died.cost_microusd) == ("unknown", "outcome_unknown", 0)
    assert died.finished_at is not None
    assert (young.outcome, young.cost_microusd) == ("in_flight", None)
    assert money_is_sound() == 0


def test_several_days_and_people_are_settled_at_once():
    people = [None, factories.staff(), factories.staff()]
    calls = [asked(actor=each, at=NOON + timedelta(days=n)) for n, each in enumerate(people)]
    assert billing.settle_text_calls_manually([c.pk for c in calls], cost_microusd=None) == 3
    assert money_is_sound() == 3 * EACH
    days = DailyBudget.objects.values_list("spent_microusd", "reserved_microusd")
    assert list(days) == [(EACH, 0)] * 3


# The command.


def test_the_command_lists_them_beside_calls_and_looks_after_the_dead(called):
    call, lost = called(cost=None, outcome="unknown"), asked()
    died = asked(outcome="in_flight")
    asked(outcome="in_flight", at=database_now())
    told = reconcile()
    assert f"w{lost.pk}" in told and f"w{died.pk}" in told and "a-text-model" in told
    assert "3 calls may have cost up to 0.0378 USD" in told
    died.refresh_from_db()
    assert died.outcome == "unknown"
    plain = json.loads(reconcile("--json"))
    assert [each["call"] for each in plain] == [call.pk, f"w{lost.pk}", f"w{died.pk}"]
    assert plain[1]["job"] is None and plain[1]["provider"] == "Gemini (a-text-model)"


def test_the_command_settles_them_by_the_bill(called):
    call, first, second, third = called(cost=None, outcome="unknown"), asked(), asked(), asked()
    told = reconcile(
        "--not-billed", f"w{first.pk}", "--billed", f"w{second.pk}", str(call.pk), "--usd", "0.05"
    )
    assert "3 calls settled" in told
    assert costs() == {first.pk: 0, second.pk: 50_000, third.pk: None}
    call.refresh_from_db()
    assert call.cost_microusd == 50_000
    day = DailyBudget.objects.get()
    assert (day.spent_microusd, day.reserved_microusd) == (100_000, EACH)


def test_a_number_alone_is_a_provider_call(called):
    while (call := called(cost=None, outcome="unknown")).pk < (lost := asked()).pk:
        pass
    while lost.pk < call.pk:
        lost = asked()
    assert lost.pk == call.pk
    reconcile("--billed", str(call.pk))
    assert costs()[lost.pk] is None
    with pytest.raises(CommandError, match=f"not unsettled: {call.pk}. Nothing"):
        reconcile("--billed", str(call.pk))
    reconcile(billed=[f"w{lost.pk}"])
    assert costs()[lost.pk] == EACH


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--billed", "w{known}"], "These calls are not unsettled: w{known}. Nothing was changed"),
        (["--billed", "w{open}", "w{young}"], "These calls are not unsettled: w{young}."),
        (["--billed", "w{open}", "--not-billed", "w{open}"], "both as billed and as not billed: w"),
        (["--billed", "x{open}"], "is not a call. Write it as listed"),
        (["--billed", "w"], "is not a call. Write it as listed"),
    ],
)
def test_what_cannot_be_settled_is_told_and_nothing_is_changed(arguments, said):
    names = {
        "open": asked().pk,
        "known": asked(cost=5, outcome="answered").pk,
        "young": asked(outcome="in_flight", at=database_now()).pk,
    }
    with pytest.raises(CommandError, match=said.format(**names)):
        reconcile(*[each.format(**names) for each in arguments])
    assert billing.unsettled_text_calls().count() == 1


def test_reports_count_what_is_open():
    asked()
    asked(cost=400, outcome="answered")
    report = billing.report(first=NOON.date(), last=NOON.date())
    assert [(line.name, line.calls) for line in report.tiers] == [("text", 2)]
    assert (report.total.spent_usd * 10**6, report.total.open_usd * 10**6) == (400, EACH)
    found = status.collect()
    assert (found.open_calls, found.open_usd * 10**6) == (1, EACH)


# The admin.


@pytest.mark.parametrize("action", ["not_billed", "billed"])
def test_they_are_settled_in_the_admin_by_who_may(client, action):
    call, known = asked(), asked(cost=400, outcome="answered")
    chosen = {"action": action, "_selected_action": [call.pk, known.pk]}
    client.force_login(factories.staff("nb_catalog.view_textcall"))
    client.post(LIST, {**chosen, "confirmed": "yes"})
    assert costs()[call.pk] is None, "seeing is not settling"
    anna = factories.staff(*MAY_SETTLE, name="anna")
    client.force_login(anna)
    page = client.post(LIST, chosen).content.decode()
    assert "<strong>$0.0009</strong>" in page and "This cannot be undone" in page
    assert "Gemini (a-text-model)" in page and f'href="{LIST}"' in page
    assert ("will be released" if action == "not_billed" else "will be recorded as spent") in page
    assert ('name="usd"' in page) == (action == "billed")
    assert costs()[call.pk] is None, "asking is not settling"
    shown = client.post(LIST, {**chosen, "confirmed": "yes", "usd": ""}, follow=True)
    assert "1 call settled. 1 call was not changed" in shown.content.decode()
    assert costs()[call.pk] == (0 if action == "not_billed" else EACH)
    assert TextCall.objects.get(pk=call.pk).settled_by == anna
    money_is_sound()
    assert "anna" in client.get(f"{LIST}{call.pk}/change/").content.decode()


def test_an_amount_of_the_bill_is_booked(client):
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


def test_provider_calls_take_an_amount_as_well(called, client):
    call = called(cost=None, outcome="unknown")
    client.force_login(factories.superuser())
    chosen = {"action": "billed", "_selected_action": [call.pk], "confirmed": "yes"}
    client.post("/admin/nb_catalog/providercall/", {**chosen, "usd": "0.04"})
    call.refresh_from_db()
    assert call.cost_microusd == 40_000 != ESTIMATE


def test_one_that_died_in_flight_can_be_settled_in_the_admin(client):
    died = asked(outcome="in_flight")
    client.force_login(factories.superuser())
    shown = client.get(LIST, {"open": "yes"})
    assert list(shown.context["cl"].result_list) == [died]
    chosen = {"action": "not_billed", "_selected_action": [died.pk], "confirmed": "yes"}
    client.post(LIST, chosen)
    died.refresh_from_db()
    assert (died.outcome, died.cost_microusd) == ("unknown", 0)


def test_the_list_can_show_what_is_open_alone(client):
    call = asked()
    asked(cost=400, outcome="answered")
    client.force_login(factories.superuser())
    shown = client.get(LIST, {"open": "yes"})
    assert list(shown.context["cl"].result_list) == [call]


def test_there_may_be_nothing_to_settle(client):
    client.force_login(factories.superuser())
    chosen = {"action": "billed", "_selected_action": [asked(cost=1, outcome="answered").pk]}
    page = client.post(LIST, chosen).content.decode()
    assert "Nothing to settle" in page and "confirmed" not in page

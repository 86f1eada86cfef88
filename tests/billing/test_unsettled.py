"""Calls whose cost nobody knows: listed, settled once, and the money in every purse the same."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from nb_catalog import billing, worker
from nb_catalog.exceptions import OutcomeUnknown
from nb_catalog.models import DailyBudgetShare, ImageJob, ProviderCall
from tests import factories
from tests.billing.conftest import ESTIMATE, NOON
from tests.worker.conftest import money_is_sound, script, start  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


def reconcile(*arguments, **options):
    out = StringIO()
    call_command("nb_reconcile", *arguments, stdout=out, **options)
    return out.getvalue()


def test_what_is_out_or_known_is_not_open(called):
    called()
    called(cost=0, outcome="failed")
    called(cost=None, outcome="in_flight")
    lost = called(cost=None, outcome="unknown")
    assert list(billing.unsettled_calls()) == [lost]
    assert billing.unsettled_total(billing.unsettled_calls()) == ESTIMATE


@pytest.mark.parametrize(("cost", "booked"), [(0, 0), (None, ESTIMATE), (40_000, 40_000)])
def test_a_person_s_word_is_booked_in_every_purse_once(called, cost, booked):
    anna = factories.superuser("anna")
    call = called(cost=None, outcome="unknown", actor=anna)
    assert billing.settle_manually([call.pk], cost_microusd=cost, actor=anna) == 1
    assert billing.settle_manually([call.pk], cost_microusd=99, actor=anna) == 0
    call.refresh_from_db()
    assert (call.cost_microusd, call.settled_by) == (booked, anna)
    assert call.settled_at is not None
    assert money_is_sound() == booked
    shares = DailyBudgetShare.objects.values_list("kind", "spent_microusd", "reserved_microusd")
    assert set(shares) == {("tier", booked, 0), ("user", booked, 0)}


def test_the_command_lists_what_is_open_and_what_it_may_have_cost(called):
    first, second = (called(cost=None, outcome="unknown", hours=n) for n in range(2))
    told = reconcile()
    assert f"{first.pk}" in told and "2026-11-20 13:00:00" in told
    assert "2 calls may have cost up to 0.072 USD" in told
    assert f'"call": {second.pk}' in reconcile("--json")


def test_with_nothing_open_it_says_so(called):
    called()
    assert "No unsettled calls" in reconcile()


def test_the_command_settles_by_the_bill(called):
    first, second, third = (called(cost=None, outcome="unknown", hours=n) for n in range(3))
    told = reconcile("--not-billed", str(first.pk), "--billed", str(second.pk), "--usd", "0.05")
    assert "2 calls settled" in told
    assert dict(ProviderCall.objects.values_list("pk", "cost_microusd")) == {
        first.pk: 0, second.pk: 50_000, third.pk: None,
    }  # fmt: skip
    money_is_sound()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--billed", "{open}", "--usd", "cheap"], "is not a valid price per call"),
        (["--billed", "{open}", "--usd", "-1"], "is not a valid price per call"),
        (["--billed", "{open}", "--usd", "5000"], "is not a valid price per call"),
        (["--billed", "{known}"], "These calls are not unsettled: {known}. Nothing was changed"),
        (["--billed", "{open}", "--not-billed", "{open}"], "both as billed and as not billed"),
        (["--billed", "987654"], "not unsettled: 987654"),
    ],
)
def test_what_cannot_be_settled_is_told_and_nothing_is_changed(called, arguments, said):
    names = {"open": called(cost=None, outcome="unknown").pk, "known": called().pk}
    with pytest.raises(CommandError, match=said.format(**names)):
        reconcile(*[each.format(**names) for each in arguments])
    assert billing.unsettled_calls().count() == 1


# UNKNOWN_POLICY


@pytest.fixture
def policy(settings):
    def give(**given):
        settings.NB_CATALOG = {**settings.NB_CATALOG, "UNKNOWN_POLICY": given}

    return give


def run_async():
    for _ in range(4):
        worker.drain()


@pytest.mark.django_db(transaction=True)
def test_held_is_what_may_have_been_charged(script, start):  # noqa: F811 - the fixtures
    script.add(OutcomeUnknown("It broke off."))
    start(1)
    run_async()
    assert (ImageJob.objects.get().state, script.count) == ("unknown", 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("most", "calls"), [(1, 2), (3, 4)])
def test_the_policy_pays_again_as_often_as_it_says(script, start, policy, most, calls):  # noqa: F811
    policy(ACTION="retry", AFTER_SECONDS=0.001, AT_MOST=most)
    script.add(*[OutcomeUnknown("It broke off.")] * 9)
    start(1)
    for _ in range(3):
        run_async()
    job = ImageJob.objects.get()
    assert (job.state, script.count) == ("unknown", calls)
    assert billing.unsettled_calls().count() == calls, "each keeps its money"
    money_is_sound()


@pytest.mark.django_db(transaction=True)
def test_the_policy_waits(script, start, policy):  # noqa: F811 - the fixtures
    policy(ACTION="retry", AFTER_SECONDS=3600)
    script.add(OutcomeUnknown("It broke off."))
    start(1)
    run_async()
    assert (ImageJob.objects.get().state, script.count) == ("unknown", 1)
    ImageJob.objects.update(finished_at=NOON)
    run_async()
    assert (ImageJob.objects.get().state, script.count) == ("succeeded", 2)


@pytest.mark.django_db(transaction=True)
def test_a_second_payment_stays_within_the_budget(script, start, policy):  # noqa: F811
    policy(ACTION="retry", AFTER_SECONDS=0.001)
    script.add(OutcomeUnknown("It broke off."))
    run = start(1, budget_usd=Decimal("0.04"))
    run_async()
    run.refresh_from_db()
    assert run.paused_reason == "run_budget"
    assert (ImageJob.objects.get().state, script.count) == ("queued", 1)


@pytest.mark.parametrize(
    "given",
    [
        {"ACTION": "rety"},
        {"ACTION": "hold", "AT_MOST": 3},
        {"ACTION": "retry", "AFTER": 3},
        {"ACTION": "retry", "AFTER_SECONDS": -1},
        {"ACTION": "retry", "AT_MOST": 0},
        {},
        "retry",
    ],
)
def test_a_wrong_policy_is_told(settings, given):
    from nb_catalog.checks import check_settings

    settings.NB_CATALOG = {**settings.NB_CATALOG, "UNKNOWN_POLICY": given}
    assert [each.id for each in check_settings()] == ["nb_catalog.E001"]

"""What was spent, by day, model, tier, scene and user, and for each published picture."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from nb_catalog import billing
from nb_catalog.billing import reports
from nb_catalog.models import ProductImage
from tests import factories
from tests.billing.conftest import LITE, NANO, NOON

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 20)


def report(days=3):
    return billing.report(first=DAY - timedelta(days=days - 1), last=DAY)


def names(lines):
    return {line.name: (line.calls, line.spent_usd, line.open_usd) for line in lines}


def test_each_call_is_in_every_table_once(called):
    anna = factories.staff(name="anna")
    called(cost=10_000, actor=anna)
    called(cost=20_000, model=NANO, tier="premium", scene="oak", days=-1)
    called(cost=None, outcome="unknown", actor=anna)
    found = report()
    total = (3, Decimal("0.03"), Decimal("0.036"))
    assert (found.total.calls, found.total.spent_usd, found.total.open_usd) == total
    one, two = (2, Decimal("0.01"), Decimal("0.036")), (1, Decimal("0.02"), Decimal(0))
    assert names(found.models) == {LITE: one, NANO: two}
    assert names(found.tiers) == {"draft": one, "premium": two}
    assert names(found.scenes) == {"marble": one, "oak": two}
    assert names(found.users) == {"anna": one, "-": two}
    assert [(line.name, line.calls) for line in found.days] == [
        ("2026-11-18", 0), ("2026-11-19", 1), ("2026-11-20", 2),
    ]  # fmt: skip


def test_days_end_at_midnight_utc(called):
    called(hours=11.99)
    called(hours=12)
    assert report(1).total.calls == 1


def test_the_dearest_come_first_and_the_rest_is_one_line(called, monkeypatch):
    monkeypatch.setattr(reports, "MOST_ROWS", 2)
    for number, scene in enumerate(["a", "b", "c", "d"], start=1):
        called(cost=number * 1000, scene=scene)
    lines = report().scenes
    assert [line.name for line in lines] == ["d", "c", ""]
    assert lines[-1].spent_usd == Decimal("0.003") and lines[-1].calls == 2


def test_a_published_picture_costs_its_rejected_drafts_too(called):
    for cost in (10_000, 20_000, 30_000):
        called(cost=cost)
    assert report().usd_per_published is None, "dividing by nothing is no price"
    placement = factories.published()
    factories.image(state="rejected")
    ProductImage.objects.update(created_at=NOON)
    found = report()
    assert (found.made, found.approved, found.rejected, found.published) == (2, 1, 1, 1)
    assert found.usd_per_published == Decimal("0.06")
    assert placement.image.state == "approved"


def test_a_report_costs_a_constant_number_of_queries(called, django_assert_num_queries):
    for number in range(6):
        called(scene=f"scene {number}", days=-number % 3)
    with django_assert_num_queries(4):
        report()


def spend(*arguments):
    out = StringIO()
    call_command("nb_spend", *arguments, stdout=out)
    return out.getvalue()


PERIOD = ("--since", "2026-11-18", "--until", "2026-11-20")


def test_the_command_draws_bars(called):
    called(cost=40_000, scene="oak")
    called(cost=10_000)
    called(cost=None, outcome="unknown")
    told = spend(*PERIOD)
    assert "0.05 USD for 3 calls" in told
    assert "up to 0.036 USD for calls of unknown cost" in told
    lines = {line.split()[0]: line for line in told.splitlines() if line.split()[1:2] == ["1"]}
    assert lines["oak"].count("█") > 20
    assert json.loads(spend(*PERIOD, "--json"))["total"]["calls"] == 3


def test_without_a_call_it_says_nothing_was_spent():
    told = spend(*PERIOD)
    assert "0 USD for 0 calls" in told and "no price yet" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "yesterday"], "--since: 'yesterday' is not a valid date"),
        (["--since", "2026-11-20", "--until", "2026-11-01"], "after the last"),
        (["--days", "0"], "after the last"),
        (["--days", "5000"], "At most 3660 days"),
    ],
)
def test_a_period_that_is_none_is_told(arguments, said):
    with pytest.raises(CommandError, match=said):
        spend(*arguments)


# The page


@pytest.fixture
def page(client):
    client.force_login(factories.superuser())

    def get(**query):
        return client.get("/admin/nb_catalog/dailybudget/report/", query)

    return get


SHOWN = {"first": "2026-11-18", "last": "2026-11-20"}


def test_the_page_shows_a_chart_and_the_same_as_tables(called, page):
    called(cost=40_000, scene="oak")
    called(cost=None, outcome="unknown", days=-1)
    shown = page(**SHOWN).content.decode()
    assert shown.count("nbc-hit") == 3
    assert "<title>11/20/2026: $0.0400</title>" in shown
    assert "plus up to $0.0360 of unknown cost" in shown
    assert "oak" in shown and "?open=yes" in shown


def test_the_page_without_anything_spent(page):
    shown = page().content.decode()
    assert "nothing published yet" in shown and "Nothing was spent" in shown
    assert 'class="nbc-chart"' not in shown, "no chart of nothing"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"first": "2026-11-20", "last": "2026-11-01"}, "The first day is after the last."),
        ({"first": "1926-11-20", "last": "2026-11-01"}, "At most 366 days"),
        ({"first": "x", "last": "2026-11-01"}, "Enter a valid date."),
        ({"last": "2026-11-01"}, "This field is required."),
    ],
)
def test_the_page_says_what_is_wrong_with_a_period(page, query, said):
    answer = page(**query)
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_the_page_is_for_those_who_may_see_the_books(client):
    client.force_login(factories.staff())
    url = "/admin/nb_catalog/dailybudget/report/"
    assert client.get(url, SHOWN).status_code == 403


@pytest.mark.parametrize("action", ["not_billed", "billed"])
def test_open_calls_are_settled_in_the_admin_by_who_may(called, client, action):
    call, known = called(cost=None, outcome="unknown"), called()
    url = "/admin/nb_catalog/providercall/"
    asked = {"action": action, "_selected_action": [call.pk, known.pk]}
    client.force_login(factories.staff("nb_catalog.view_providercall"))
    client.post(url, asked)
    call.refresh_from_db()
    assert call.cost_microusd is None, "seeing is not settling"
    anna = factories.staff("nb_catalog.view_providercall", "nb_catalog.reconcile", name="anna")
    client.force_login(anna)
    page = client.post(url, asked).content.decode()
    assert "<strong>$0.0360</strong>" in page and "This cannot be undone" in page
    assert ("will be released" if action == "not_billed" else "will be recorded as spent") in page
    call.refresh_from_db()
    assert call.cost_microusd is None, "asking is not settling"
    yes = {**asked, "confirmed": "yes"}
    shown = client.post(url, yes, follow=True).content.decode()
    assert "1 call settled. 1 call was not changed" in shown
    call.refresh_from_db()
    assert call.cost_microusd == (0 if action == "not_billed" else 36_000)
    assert call.settled_by == anna


def test_there_may_be_nothing_to_settle(called, client):
    client.force_login(factories.superuser())
    asked = {"action": "billed", "_selected_action": [called().pk]}
    page = client.post("/admin/nb_catalog/providercall/", asked).content.decode()
    assert "Nothing to settle" in page and "confirmed" not in page


def test_the_list_can_show_what_is_open_alone(called, client):
    call = called(cost=None, outcome="unknown")
    called()
    client.force_login(factories.superuser())
    shown = client.get("/admin/nb_catalog/providercall/", {"open": "yes"})
    assert list(shown.context["cl"].result_list) == [call]

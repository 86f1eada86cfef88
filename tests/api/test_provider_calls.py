"""Pauses, batches, calls, reconciliation, spending and status: as in the admin, over REST."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from nb_catalog import billing, ratelimit
from nb_catalog.core.states import JobState
from nb_catalog.core.types import Permission
from nb_catalog.models import DailyBudget, ProviderBatch, ProviderCall, ProviderPause
from nb_catalog.models.billing import CallOutcome
from tests import factories

pytestmark = pytest.mark.django_db

CALLS, RECONCILE = "nb_catalog.view_providercall", "nb_catalog.reconcile"
RESUME = "nb_catalog.delete_providerpause"


def call(*, cost=None, outcome=CallOutcome.UNKNOWN, **fields):
    """A call; unless its ``cost`` is known, 40,000 micro-dollars are reserved for it."""
    job = factories.job(of=factories.run())
    now = timezone.now()
    if cost is None:
        day, _created = DailyBudget.objects.get_or_create(day=now.date())
        day.reserved_microusd += 40_000
        day.save()
    return ProviderCall.objects.create(
        **{"job": job, "run": job.run, "provider": "gemini", "model": "gemini-3-pro-image", "epoch": 1,
           "estimate_microusd": 40_000, "cost_microusd": cost, "outcome": outcome, "started_at": now,
           "tier": "draft", "scene": "marble", **fields}
    )  # fmt: skip


def paused(*, model="", until=None, cause="provider_stopped"):
    until = until or timezone.now() + ratelimit.UNTIL_A_PERSON_ACTS
    return ProviderPause.objects.create(
        provider="gemini", model=model, until=until, reason="Billing is off.", cause=cause
    )


def test_a_pause_says_what_to_do_and_ends_when_it_is_deleted(api_as):
    api = api_as("nb_catalog.view_providerpause", RESUME)
    row = paused()
    soon = paused(model="gemini-3-pro-image", until=timezone.now() + timedelta(minutes=2), cause="")
    [second, first] = api.get("pauses/").json()["results"]
    assert (first["id"], first["needs_person"], second["needs_person"]) == (row.pk, True, False)
    assert "billing page" in first["what_to_do"] and second["model"] == soon.model
    assert api.delete(f"pauses/{row.pk}/").status_code == 204
    assert list(ProviderPause.objects.all()) == [soon]
    assert api.delete(f"pauses/{row.pk}/").status_code == 404


def test_a_pause_that_somebody_has_prolonged_is_not_deleted_by_mistake(api_as):
    api = api_as("nb_catalog.view_providerpause", RESUME)
    row = paused(until=timezone.now() + timedelta(hours=1), cause="daily_quota_reached")
    seen = api.get(f"pauses/{row.pk}/")["ETag"]
    ProviderPause.objects.update(reason="Billing is off.", cause="provider_stopped")
    assert api.delete(f"pauses/{row.pk}/", if_match=seen).status_code == 412
    assert ProviderPause.objects.exists()


def test_batches_are_found_by_state_and_by_either_name(api_as):
    api = api_as("nb_catalog.view_providerbatch")
    rows = [
        ProviderBatch.objects.create(
            name=f"nb-{number}", service_name=f"batches/{number}", provider="gemini",
            model="gemini-3-pro-image", state=state, items=2,
        )
        for number, state in enumerate(("running", "done", "done"))
    ]  # fmt: skip
    for row in rows:
        factories.job(batch=row, state=JobState.SUBMITTED)
        factories.job(batch=row, state=JobState.SUCCEEDED)
    [running] = api.get("batches/?state=running").json()["results"]
    assert running["jobs"] == {"submitted": 1, "succeeded": 1}
    assert api.get(f"batches/{rows[0].pk}/").json() == running
    for name in ("nb-1", "batches/1"):
        [row] = api.get("batches/", {"name": name}).json()["results"]
        assert row["id"] == rows[1].pk
    assert [row["id"] for row in api.get("batches/?state=done").json()["results"]] == [
        rows[2].pk, rows[1].pk,
    ]  # fmt: skip


def test_open_calls_are_listed_and_settled_from_the_invoice(api_as):
    api = api_as(CALLS, RECONCILE)
    known, first, second, third = call(cost=39_000), call(), call(), call()
    flying = call(outcome=CallOutcome.IN_FLIGHT)
    shown = api.get("calls/?open=true").json()["results"]
    assert [row["id"] for row in shown] == [third.pk, second.pk, first.pk]
    assert (shown[0]["estimate_usd"], shown[0]["cost_usd"]) == ("0.04", None)
    rest = api.get("calls/?open=false").json()["results"]
    assert [row["id"] for row in rest] == [flying.pk, known.pk]

    body = {"calls": [first.pk, known.pk, flying.pk, 999_999], "billed": True, "usd": "0.0336"}
    assert api.post("calls/settle/", body).json() == {"settled": 1, "unchanged": 3}
    body = {"calls": [second.pk], "billed": True}
    assert api.post("calls/settle/", body).json() == {"settled": 1, "unchanged": 0}
    body = {"calls": [third.pk], "billed": False}
    assert api.post("calls/settle/", body).json() == {"settled": 1, "unchanged": 0}
    costs = [api.get(f"calls/{row.pk}/").json()["cost_usd"] for row in (first, second, third)]
    assert costs == ["0.0336", "0.04", "0.00"]
    told = api.get(f"calls/{first.pk}/").json()
    assert told["settled_by"] == api.user.get_username() and told["settled_at"]
    assert DailyBudget.objects.get().reserved_microusd == 40_000
    assert not billing.unsettled_calls().exists()


def test_a_form_that_does_not_say_whether_it_was_billed_settles_nothing(api_as):
    open_call, client = call(), api_as(CALLS, RECONCILE).client
    address = "/api/catalog-images/calls/settle/"
    answer = client.post(address, {"calls": [open_call.pk]})
    assert answer.status_code == 400 and "billed" in answer.json()["errors"]
    assert billing.unsettled_calls().exists()
    assert client.post(address, {"calls": [open_call.pk], "billed": "false"}).status_code == 200
    assert not billing.unsettled_calls().exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [({"billed": False, "usd": "1"}, "usd"), ({"calls": []}, "calls"), ({"usd": "-1"}, "usd"),
     ({"billed": None}, "billed"), ({"bill": True}, "bill")],
)  # fmt: skip
def test_a_settlement_that_contradicts_itself_is_refused(api_as, body, field):
    api, row = api_as(CALLS, RECONCILE), call()
    refused = api.post("calls/settle/", {"calls": [row.pk], "billed": True, **body})
    assert refused.status_code == 400 and field in refused.json()["errors"]
    row.refresh_from_db()
    assert row.cost_microusd is None


def test_calls_are_narrowed_by_what_they_were_for(api_as):
    api, row = api_as(CALLS), call()
    call(provider="other", model="other-1", outcome=CallOutcome.FAILED, cost=0)
    for query in (
        {"provider": "gemini"}, {"provider_model": row.model}, {"outcome": "unknown"},
        {"run": row.run_id}, {"job": row.job_id},
    ):  # fmt: skip
        [shown] = api.get("calls/", query).json()["results"]
        assert (shown["id"], shown["kind"]) == (row.pk, "image"), query


def test_a_report_sums_up_a_period(api_as):
    api = api_as("nb_catalog.view_dailybudget", CALLS, RECONCILE)
    today = timezone.now().date().isoformat()
    row = call()
    before = api.get("spending/report/").json()
    assert (before["total"]["calls"], before["total"]["open_usd"]) == (1, "0.04")
    api.post("calls/settle/", {"calls": [row.pk], "billed": True})
    report = api.get("spending/report/", {"first": today, "last": today}).json()
    group = {"calls": 1, "spent_usd": "0.04", "open_usd": "0.00"}
    assert report["total"] == {"name": "", **group}
    assert report["tiers"] == [{"name": "draft", **group}]
    assert report["days"] == [{"name": today, **group}]
    assert report["usd_per_published"] is None
    assert len(before["days"]) == 30
    [day] = api.get("spending/").json()["results"]
    assert day == {"day": today, "spent_usd": "0.04", "reserved_usd": "0.00"}
    assert api.get(f"spending/{today}/").json() == day
    assert api.get("spending/yesterday/").status_code == 404


@pytest.mark.parametrize(
    "query",
    [{"first": "2026-11-02", "last": "2026-11-01"}, {"first": "2025-01-01", "last": "2026-11-01"},
     {"first": "yesterday"}, {"since": "2026-11-01"}],
)  # fmt: skip
def test_a_period_that_cannot_be_is_refused(api_as, query):
    api = api_as("nb_catalog.view_dailybudget")
    assert api.get("spending/report/", query).status_code == 400
    assert api.get("spending/report/", {"last": "0001-01-02"}).status_code == 200


def test_the_status_says_what_is_wrong_and_what_to_do(api_as):
    api = api_as("nb_catalog.view_dailybudget", CALLS, "nb_catalog.view_webhookendpoint")
    call()
    paused()
    factories.job()
    now = api.get("status/").json()
    assert now["jobs"]["queued"] == 2 and now["open_calls"] == 1 and now["open_usd"] == "0.04"
    [problem] = [each for each in now["problems"] if each["code"] == "provider_stopped"]
    assert "paused until resumed" in problem["detail"]
    assert [each["needs_person"] for each in now["pauses"]] == [True]
    assert Decimal(now["reserved_today_usd"]) == Decimal("0.04") and now["failing_webhooks"] == 0


def test_the_status_keeps_what_a_user_may_not_see(api_as):
    call()
    now = api_as(Permission.GENERATE, views=False).get("status/").json()
    hidden = ("spent_today_usd", "reserved_today_usd", "open_calls", "open_usd", "failing_webhooks")
    assert {now[name] for name in hidden} == {None}
    assert api_as(views=False).get("status/").status_code == 403

"""How the work stands, for people, programs and whoever asks whether all is well."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.urls import path
from django.utils import timezone

from nb_catalog import ratelimit
from nb_catalog.core import quotas
from nb_catalog.models import (
    DailyBudget,
    ImageJob,
    ProviderCall,
    Publication,
    RateLimitState,
    RenditionRequest,
)
from nb_catalog.operations import status, views
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [path("health/", views.health)]
MINUTES = timedelta(minutes=1)
LITE = "gemini-3.1-flash-lite-image"


def paid_job(**fields):
    about = factories.product(photo=False)
    asked = factories.spec(about, provider="gemini", model=LITE)
    return factories.job(about, asked=asked, **fields)


def aged(job, minutes):
    ImageJob.objects.filter(pk=job.pk).update(created_at=timezone.now() - minutes * MINUTES)
    return job


def told(*arguments):
    out = StringIO()
    code = 0
    try:
        call_command("nb_status", *arguments, stdout=out)
    except SystemExit as ended:
        code = ended.code
    return out.getvalue(), code


def test_with_nothing_to_do_all_is_well():
    said, code = told()
    assert "none waiting" in said and code == 0


def test_everything_that_matters_is_told(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": "5"}
    soon, past = timezone.now() + MINUTES, timezone.now() - MINUTES
    aged(paid_job(), 3)
    paid_job(state="calling", lease_owner="one", lease_until=soon)
    paid_job(state="leased", lease_owner="two", lease_until=past)
    paid_job(state="succeeded", finished_at=timezone.now())
    lost = paid_job(state="unknown")
    ProviderCall.objects.create(
        job=lost, epoch=1, provider="gemini", model=LITE, estimate_microusd=36_000,
        outcome="unknown", started_at=past,
    )  # fmt: skip
    factories.run(paused_reason="day_budget")
    DailyBudget.objects.create(day=timezone.now().date(), spent_microusd=1_500_000)
    ratelimit.pause("gemini", LITE, until=soon, reason="Slow.", cause="rate_limited")
    RateLimitState.objects.create(provider="gemini", model=LITE, cap=4)
    found = json.loads(told("--json")[0])
    assert found["jobs"] == {"queued": 1, "calling": 1, "leased": 1, "unknown": 1}
    assert 170 < found["oldest_seconds"] < 200
    assert (found["workers"], found["lost"], found["per_minute"]) == (1, 1, 0.2)
    assert (found["open_calls"], found["open_usd"]) == (1, "0.036")
    assert (found["spent_today_usd"], found["budget_today_usd"]) == ("1.5", "5")
    assert found["paused_runs"] == {"day_budget": 1}
    assert found["pauses"][0]["cause"] == "rate_limited" and not found["pauses"][0]["needs_person"]
    assert found["caps"] == {f"gemini {LITE}": 4}
    said, code = told()
    assert "1.5 USD of 5" in said and f"gemini {LITE}: 4" in said and code == 0


def test_a_look_costs_a_constant_number_of_queries(django_assert_max_num_queries):
    for _ in range(5):
        paid_job()
    with django_assert_max_num_queries(33):
        status.collect()


def test_jobs_that_nobody_takes_up_are_a_problem():
    job = paid_job()
    assert status.problems() == (), "it has only just been asked for"
    aged(job, 20)
    assert status.problems() == ("nobody_works",)
    said, code = told()
    assert "Start manage.py nb_worker" in said and code == 1
    paid_job(state="succeeded", finished_at=timezone.now())
    assert status.problems() == (), "somebody does"


def test_a_worker_at_a_long_call_is_no_problem():
    aged(paid_job(), 20)
    paid_job(state="calling", lease_owner="one", lease_until=timezone.now() + MINUTES)
    assert status.problems() == ()


@pytest.mark.parametrize("why", ["paused run", "paused model", "used up"])
def test_jobs_that_have_to_wait_are_no_problem(settings, why):
    job = aged(paid_job(), 20)
    if why == "paused run":
        job.run.paused_reason = "day_budget"
        job.run.save()
    elif why == "paused model":
        ratelimit.pause("gemini", LITE, until=timezone.now() + MINUTES, reason="Slow.")
    else:
        limits = {"gemini": {LITE: {"REQUESTS_PER_DAY": 3}}}
        settings.NB_CATALOG = {**settings.NB_CATALOG, "QUOTAS": limits}
        today = timezone.now().astimezone(quotas.pacific()).date()
        RateLimitState.objects.create(provider="gemini", model=LITE, day=today, sent_today=3)
    assert status.problems() == ()


def test_lost_jobs_and_stopped_providers_are_problems():
    paid_job(state="calling", lease_owner="dead", lease_until=timezone.now() - 20 * MINUTES)
    until = timezone.now() + ratelimit.UNTIL_A_PERSON_ACTS
    ratelimit.pause("gemini", "", until=until, reason="Paid up.", cause="provider_stopped")
    assert status.problems() == ("lost_jobs", "provider_stopped")


@pytest.mark.parametrize("columns", [{"state": "published"}, {"state": "waiting", "starts_at": 0}])
def test_starts_and_ends_that_are_late_are_a_problem(columns):
    late = timezone.now() - 20 * MINUTES
    columns = {name: value or late for name, value in columns.items()}
    publication = Publication.objects.create(title="Autumn", due_at=late, **columns)
    assert status.problems() == ("publications_late",)
    Publication.objects.filter(pk=publication.pk).update(due_at=timezone.now() - 10 * MINUTES)
    assert status.problems() == ()


def test_pictures_that_wait_for_files_are_a_problem_if_nobody_makes_any():
    late = timezone.now() - 20 * MINUTES
    Publication.objects.create(title="Autumn", state="waiting", due_at=late)
    assert status.problems() == ("publications_late",)
    RenditionRequest.objects.create(
        image=factories.image(), token="alive", not_before=timezone.now() + MINUTES
    )
    assert status.problems() == ()


def test_the_endpoint_answers_in_one_word(client):
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "problems": []})
    assert "no-store" in answer["Cache-Control"]
    aged(paid_job(), 20)
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["nobody_works"])
    assert client.post("/health/").status_code == 405


def test_a_database_that_is_gone_is_told(client, monkeypatch):
    def gone():
        raise DatabaseError("secret address")

    monkeypatch.setattr(status, "problems", gone)
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["database"])
    assert "secret" not in answer.content.decode()


def test_asking_writes_nothing(client, django_assert_max_num_queries):
    aged(paid_job(), 20)
    RateLimitState.objects.create(provider="gemini", model=LITE)
    with django_assert_max_num_queries(20) as asked:
        client.get("/health/")
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


def test_unfinished_runs_are_told_with_their_progress():
    run = factories.run()
    paid_job(of=run)
    paid_job(of=run, state="succeeded", finished_at=timezone.now())
    paid_job(state="failed")
    [found] = json.loads(told("--json")[0])["runs"]
    assert (found["run"], found["percent"], found["seconds_left"]) == (run.pk, 50, None)
    assert "50 % of 2, time left not known" in told()[0]

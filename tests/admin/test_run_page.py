import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nb_catalog.core.states import JobState
from nb_catalog.core.types import Permission
from nb_catalog.models import ImageJob, ProviderPause, Run, RunStart
from tests import factories

pytestmark = pytest.mark.django_db


def url(name, run):
    return reverse(f"admin:nb_catalog_run_{name}", args=[run.pk])


def text_of(client, run):
    return client.get(url("change", run)).content.decode()


def news_of(client, run):
    return client.get(url("progress", run)).json()


def states(run):
    return sorted(run.jobs.values_list("state", flat=True))


def asleep(run):
    """As if nothing had happened for a minute."""
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=1))


def test_the_page_counts_what_became_of_the_jobs(root):
    run = factories.run()
    for state in (JobState.SUCCEEDED, JobState.SUCCEEDED, JobState.FAILED, JobState.QUEUED):
        factories.job(of=run, state=state)
    page = text_of(root, run)
    assert 'value="50"' in page
    assert "2 of 4 pictures generated." in page


def test_progress_ends_when_nothing_is_underway(root):
    run = factories.run()
    job = factories.job(of=run, state=JobState.CALLING)
    assert news_of(root, run)["done"] is False
    ImageJob.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED)
    news = news_of(root, run)
    assert news["done"] is True
    assert news["percent"] == 100


def test_money_is_shown_against_estimate_and_budget(root):
    run = factories.run(estimate_usd="1.5", budget_usd="2", spent_usd="0.0336")
    page = text_of(root, run)
    for amount in ("$1.5000", "$2.0000", "$0.0336"):
        assert amount in page


def test_failed_jobs_are_shown_with_their_sentences(root):
    run = factories.run()
    mug = factories.product(name="Chipped mug")
    factories.job(mug, of=run, state=JobState.FAILED, error="The photo <b>is</b> damaged.")
    page = text_of(root, run)
    assert "Chipped mug" in page
    assert "The photo &lt;b&gt;is&lt;/b&gt; damaged." in page


def test_new_pictures_arrive_with_the_news(root):
    run = factories.run()
    job = factories.job(of=run, state=JobState.SUCCEEDED)
    image = factories.image(job=job)
    assert f"picture={image.pk}" in news_of(root, run)["parts"]["newest"]


def test_news_carry_no_form_token(root):
    run = factories.run()
    factories.job(of=run)
    assert "csrfmiddlewaretoken" not in str(news_of(root, run)["parts"])


@pytest.mark.parametrize("button", ["cancel", "retry", "resume"])
@pytest.mark.parametrize("permission", [None, Permission.REVIEW, Permission.PUBLISH])
def test_buttons_need_the_permission_to_generate(sign_in, button, permission):
    run = factories.run(paused_reason="run_budget")
    factories.job(of=run, state=JobState.FAILED)
    factories.job(of=run)
    client = sign_in(*([permission] if permission else []))
    assert "formaction" not in text_of(client, run)
    assert client.post(url(button, run)).status_code == 403
    assert states(run) == ["failed", "queued"]


def test_buttons_answer_to_posts_only(root):
    run = factories.run()
    assert root.get(url("cancel", run)).status_code == 405


def test_staff_without_any_permission_see_nothing(sign_in):
    run = factories.run()
    client = sign_in(views=False)
    assert client.get(url("change", run)).status_code == 403
    assert client.get(url("progress", run)).status_code == 403


def test_who_may_generate_may_watch(sign_in):
    run = factories.run()
    client = sign_in(Permission.GENERATE, views=False)
    assert client.get(url("change", run)).status_code == 200
    assert client.get(url("progress", run)).status_code == 200


def test_cancelling_leaves_what_is_in_flight(root):
    run = factories.run()
    for state in (JobState.QUEUED, JobState.CALLING):
        factories.job(of=run, state=state)
    root.post(url("cancel", run))
    assert states(run) == ["calling", "cancelled"]


def test_a_plain_retry_leaves_unknown_outcomes_alone(root):
    run = factories.run()
    for state in (JobState.FAILED, JobState.UNKNOWN):
        factories.job(of=run, state=state)
    root.post(url("retry", run))
    assert states(run) == ["queued", "unknown"]


def test_unknown_outcomes_are_retried_when_asked_for_by_name(root):
    run = factories.run()
    factories.job(of=run, state=JobState.UNKNOWN)
    assert "may be charged twice" in text_of(root, run)
    root.post(url("retry", run), {"unknown": "1"})
    assert states(run) == ["queued"]


def test_a_paused_run_goes_on_with_a_new_budget(root):
    run = factories.run(paused_reason="run_budget", budget_usd="1")
    assert "budget has been reached" in text_of(root, run)
    root.post(url("resume", run), {"budget_usd": "2.5"})
    run.refresh_from_db()
    assert (run.paused_reason, run.budget_usd) == ("", Decimal("2.5"))


def test_going_on_keeps_the_limit_unless_its_field_is_emptied(root):
    run = factories.run(paused_reason="day_budget", budget_usd="2.5")
    assert 'value="2.5"' in text_of(root, run)
    root.post(url("resume", run))
    run.refresh_from_db()
    assert (run.paused_reason, run.budget_usd) == ("", Decimal("2.5"))
    root.post(url("resume", run), {"budget_usd": ""})
    run.refresh_from_db()
    assert run.budget_usd == Decimal("2.5"), "it was not paused any more"
    Run.objects.update(paused_reason="day_budget")
    root.post(url("resume", run), {"budget_usd": ""})
    run.refresh_from_db()
    assert run.budget_usd is None


def test_an_unreadable_budget_leaves_the_run_paused(root):
    run = factories.run(paused_reason="run_budget", budget_usd="1")
    answer = root.post(url("resume", run), {"budget_usd": "-3"}, follow=True)
    run.refresh_from_db()
    assert run.paused_reason == "run_budget"
    assert b"greater than or equal to 0" in answer.content


def test_an_untouched_queue_is_told_how_to_start_a_worker(root):
    run = factories.run()
    factories.job(of=run)
    assert "nb_worker" not in text_of(root, run)
    asleep(run)
    assert "nb_worker" in text_of(root, run)


def test_a_worker_with_a_live_lease_is_a_worker(root):
    run = factories.run()
    factories.job(of=run)
    asleep(run)
    factories.job(state=JobState.CALLING, lease_until=timezone.now() + timedelta(seconds=30))
    assert "nb_worker" not in text_of(root, run)


def test_jobs_that_wait_for_a_paused_provider_say_so(root):
    run = factories.run()
    job = factories.job(of=run)
    asleep(run)
    ProviderPause.objects.create(
        provider=job.provider,
        model=job.model,
        until=timezone.now() + timedelta(hours=1),
        reason="Too many requests.",
    )
    page = text_of(root, run)
    assert "Too many requests." in page
    assert "nb_worker" not in page


def test_a_page_of_many_pictures_costs_what_one_of_few_does(root):
    def queries(run):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            root.get(url("change", run))
        return len(captured)

    def made(number):
        run = factories.run()
        for _ in range(number):
            mug = factories.product(photo=False)
            factories.image(mug, job=factories.job(mug, of=run, state=JobState.SUCCEEDED))
            factories.job(of=run, state=JobState.FAILED)
        return run

    few, many = made(1), made(6)
    for run in (few, many):
        queries(run)
    assert queries(few) == queries(many)


def test_a_run_is_neither_changed_nor_deleted_by_hand(root):
    run = factories.run()
    assert root.post(url("change", run), {"title": "x"}).status_code == 403
    assert root.post(url("delete", run), {"post": "yes"}).status_code == 403


# A large run, whose jobs the worker is writing.


@pytest.fixture
def starting():
    """A run of 12,000 products, a quarter of which are written: two pictures, both made."""
    run = factories.run()
    RunStart.objects.create(run=run, label="x", request={}, products=12_000, written=3_000)
    for _ in range(2):
        factories.job(of=run, state=JobState.SUCCEEDED)
    return run


def test_the_page_shows_how_far_a_run_has_been_started(root, starting):
    page = text_of(root, starting)
    assert "Starting: 3,000 of 12,000 products." in page and 'value="25"' in page
    assert "Cancel the run" in page and "Continue starting" not in page
    news = news_of(root, starting)
    assert news["done"] is False and news["percent"] == 25


def test_a_run_that_could_not_be_started_to_its_end_says_why_and_goes_on(root, starting):
    RunStart.objects.update(error="The tier <b>draft</b> is gone.")
    page = text_of(root, starting)
    assert "The tier &lt;b&gt;draft&lt;/b&gt; is gone." in page and "Continue starting" in page
    assert news_of(root, starting)["done"] is True, "it waits for a person"
    answer = root.post(url("retry", starting), follow=True)
    assert "The run is being started." in answer.content.decode()
    assert RunStart.objects.get().error == ""


def test_a_run_is_cancelled_while_it_is_starting(root, starting):
    answer = root.post(url("cancel", starting), follow=True)
    assert "Its further pictures will not be requested." in answer.content.decode()
    assert not RunStart.objects.exists()


def test_a_run_that_nobody_starts_asks_for_a_worker(root, starting):
    assert "manage.py nb_worker" not in text_of(root, starting)
    asleep(starting)
    assert "manage.py nb_worker" in text_of(root, starting)
    RunStart.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert "manage.py nb_worker" not in text_of(root, starting)


def test_the_page_says_what_is_not_possible(root):
    run = factories.run(problems={"No <i>photo</i>.": 2, "No price.": 7})
    page = text_of(root, run)
    assert page.index("No price.") < page.index("No &lt;i&gt;photo&lt;/i&gt;.")


def test_the_list_shows_which_runs_are_starting_without_a_query_for_each(
    root, starting, django_assert_max_num_queries
):
    address = reverse("admin:nb_catalog_run_changelist")
    with CaptureQueriesContext(connection) as few:
        assert "starting" in root.get(address).content.decode()
    for _ in range(5):
        RunStart.objects.create(run=factories.run(), label="x", request={}, products=1)
    with django_assert_max_num_queries(len(few)):
        root.get(address)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_page_of_a_series_run_says_what_was_made_again_and_why(root, number):
    run = factories.run(request={"series": "autumn"})
    factories.job(of=run, state=JobState.SUCCEEDED)
    for _ in range(number):
        factories.job(of=run, state=JobState.SUCCEEDED, error_code="made_again")
    hint = news_of(root, run)["parts"]["hint"]
    sentence = {
        0: "",
        1: "1 picture differs too much from the anchor of its series and was requested again.",
        2: "2 pictures differ too much from the anchor of their series and were requested again.",
    }[number]
    assert sentence in hint
    assert ("requested again" in hint) is bool(number)


def test_the_page_says_how_long_it_takes_and_at_which_rate(root):
    run = factories.run()
    job = factories.job(of=run)
    assert "Time left: not known yet." in text_of(root, run)
    asleep(run)
    now = timezone.now()
    for number in range(30):
        factories.job(of=run, state=JobState.SUCCEEDED, finished_at=now - timedelta(seconds=number))
    page = text_of(root, run)
    assert "About 30 seconds left." in page
    assert re.search(r"<strong>draft · local-studio</strong> 1 left · \d+ per minute", page)
    ImageJob.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED, finished_at=now)
    page = text_of(root, run)
    assert "ime left" not in page and "seconds left" not in page and "per minute" not in page


def test_the_page_says_what_is_tried_again_and_how_many_wait_for_a_pause(root):
    run = factories.run()
    soon = timezone.now() + timedelta(minutes=5)
    jobs = [factories.job(of=run, state=JobState.WAITING, not_before=soon) for _ in range(2)]
    ProviderPause.objects.create(provider=jobs[0].provider, until=soon, reason="Too many.")
    page = text_of(root, run)
    assert "2 jobs are tried again automatically (the first at" in page
    assert "2 jobs wait." in page

"""Starting plans once and whole; cancelling, trying again, going on."""

from decimal import Decimal

import pytest

from nb_catalog import generation
from nb_catalog.core.states import JOB_LIVE, JobState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.generation import Plan, runs
from nb_catalog.models import ImageJob, Run
from nb_catalog.models.transitions import transition_jobs
from tests import factories

pytestmark = pytest.mark.django_db

PAID_TIERS = {
    "draft": {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"},
}


@pytest.fixture
def mugs():
    factories.scene()
    return [factories.product() for _ in range(3)]


def plan_for(products, **options):
    return generation.plan_backgrounds(products, scenes=["marble"], **options)


def states(run):
    return dict(factories.counts_of(run))


def in_state(run, *wanted):
    """The run's jobs, moved into ``wanted`` in their order, with the keys that belong to it."""
    jobs = list(run.jobs.all())
    for job, state in zip(jobs, wanted, strict=True):
        held = job.fingerprint if state in JOB_LIVE else None
        ImageJob.objects.filter(pk=job.pk).update(
            state=state, live_key=held, attempts=3, error="It went wrong.", error_code="x"
        )
    return list(run.jobs.all())


# Starting.


def test_a_run_has_a_job_for_each_missing_picture(mugs):
    editor = factories.staff()
    plan = plan_for(mugs, variants=2)
    run = runs.start_run(plan, actor=editor, priority=7)
    assert (run.plan_key, run.title, run.tier) == (plan.key, plan.title, "draft")
    assert (run.actor, run.request, run.reused) == (editor, plan.request, 0)
    jobs = list(run.jobs.all())
    assert len(jobs) == 6
    for job in jobs:
        assert job.state == JobState.QUEUED and job.is_free and job.priority == 7
        assert job.live_key == job.fingerprint == job.wanted.fingerprint
        assert (job.provider, job.model) == ("local", "local-studio")


def test_starting_the_same_plan_again_is_the_same_run(mugs):
    plan = plan_for(mugs)
    run = runs.start_run(plan, budget_usd=Decimal(5))
    assert runs.start_run(plan, budget_usd=Decimal(9)) == run
    assert Run.objects.count() == 1 and ImageJob.objects.count() == 3
    run.refresh_from_db()
    assert run.budget_usd == 5, "the second press changes nothing"


def test_two_requests_with_one_key_are_one_run(mugs):
    first = runs.start_run(plan_for(mugs, key="order-1"))
    assert runs.start_run(plan_for(mugs, key="order-1")) == first
    assert ImageJob.objects.count() == 3


def test_another_plan_leaves_what_is_underway_to_its_run(mugs):
    first = runs.start_run(plan_for(mugs[:2]))
    second = runs.start_run(plan_for(mugs))
    assert first.jobs.count() == 2
    assert [job.object_id for job in second.jobs.all()] == [str(mugs[2].pk)]
    assert second.reused == 0


def test_a_picture_that_is_taken_up_after_it_was_looked_at_is_left_to_the_other_run(
    mugs, monkeypatch
):
    """What a conflict in the database would show: the plan was worked out a moment too early."""
    plan = plan_for(mugs)
    early = list(plan.items())
    first = runs.start_run(plan_for(mugs[:1]))
    monkeypatch.setattr(Plan, "items", lambda self: iter(early))
    second = runs.start_run(plan, budget_usd=None)
    assert first.jobs.count() == 1 and second.jobs.count() == 2


def test_what_is_there_is_counted_and_not_made_again(mugs):
    item = next(plan_for(mugs[:1]).items())
    factories.image(mugs[0], asked=item.spec)
    run = runs.start_run(plan_for(mugs))
    assert (run.reused, run.jobs.count()) == (1, 2)


def test_the_estimate_is_that_of_the_jobs_that_were_written(mugs, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": PAID_TIERS}
    plan = plan_for(mugs)
    run = runs.start_run(plan)
    assert run.estimate_usd == 3 * plan.price_each_usd > 0
    assert not run.jobs.first().is_free
    assert runs.start_run(plan_for(mugs)).estimate_usd == 0


@pytest.mark.parametrize("block", [1, 2, 3])
def test_an_exception_in_the_middle_leaves_no_run(mugs, monkeypatch, block):
    monkeypatch.setattr(runs, "BLOCK", block)
    plan = plan_for(mugs)
    whole = Plan.items

    def breaks_off(self):
        yield from list(whole(self))[:2]
        raise ConnectionResetError

    monkeypatch.setattr(Plan, "items", breaks_off)
    with pytest.raises(ConnectionResetError):
        runs.start_run(plan)
    assert not Run.objects.exists() and not ImageJob.objects.exists()
    monkeypatch.undo()
    assert runs.start_run(plan).jobs.count() == 3, "the same plan can still be started"


def test_blocks_of_jobs_add_up(mugs, monkeypatch):
    monkeypatch.setattr(runs, "BLOCK", 2)
    assert runs.start_run(plan_for(mugs)).jobs.count() == 3


# Budgets.

WRONG_BUDGETS = ["-0.01", "NaN", "Infinity", "1000001"]


@pytest.mark.parametrize("amount", WRONG_BUDGETS)
def test_a_budget_that_is_none_is_refused_before_anything_is_written(mugs, amount):
    with pytest.raises(RequestRefused, match="A budget must be between 0 and 1,000,000 US dollars"):
        runs.start_run(plan_for(mugs), budget_usd=Decimal(amount))
    assert not Run.objects.exists()


@pytest.mark.parametrize("amount", WRONG_BUDGETS)
def test_a_run_does_not_go_on_with_a_budget_that_is_none(mugs, amount):
    run = runs.start_run(plan_for(mugs), budget_usd=Decimal(1))
    Run.objects.update(paused_reason="run_budget")
    with pytest.raises(RequestRefused, match="A budget must be"):
        runs.resume_run(run, budget_usd=Decimal(amount))
    run.refresh_from_db()
    assert (run.paused_reason, run.budget_usd) == ("run_budget", 1)


@pytest.mark.parametrize("amount", [None, Decimal(0), Decimal("12.345678")])
def test_a_budget_is_kept_to_the_micro_dollar(mugs, amount):
    run = runs.start_run(plan_for(mugs), budget_usd=amount)
    run.refresh_from_db()
    assert run.budget_usd == amount


@pytest.mark.parametrize("amount", [None, Decimal(9)])
def test_a_paused_run_goes_on_with_another_budget(mugs, amount):
    run = runs.start_run(plan_for(mugs), budget_usd=Decimal(1))
    Run.objects.update(paused_reason="run_budget")
    runs.resume_run(run, budget_usd=amount)
    assert (run.paused_reason, run.budget_usd) == ("", amount)


def test_a_run_that_is_not_paused_keeps_its_budget(mugs):
    run = runs.start_run(plan_for(mugs), budget_usd=Decimal(1))
    with pytest.raises(InvalidTransition, match="is not paused"):
        runs.resume_run(run, budget_usd=None)
    run.refresh_from_db()
    assert run.budget_usd == 1


# Cancelling.


def test_cancelling_stops_what_was_not_sent_and_lets_the_rest_finish(mugs):
    run = runs.start_run(plan_for([*mugs, factories.product(), factories.product()]))
    in_state(run, "queued", "waiting", "leased", "calling", "succeeded")
    assert runs.cancel_run(run) == 2
    assert states(run) == {"cancelled": 2, "leased": 1, "calling": 1, "succeeded": 1}
    cancelled = run.jobs.filter(state="cancelled")
    assert all(job.live_key is None and job.finished_at for job in cancelled)


def test_what_was_cancelled_can_be_planned_again(mugs):
    runs.cancel_run(runs.start_run(plan_for(mugs)))
    assert runs.start_run(plan_for(mugs)).jobs.count() == 3


def test_cancelling_concerns_one_run_only(mugs):
    first, second = runs.start_run(plan_for(mugs[:1])), runs.start_run(plan_for(mugs[1:]))
    runs.cancel_run(first)
    assert states(second) == {"queued": 2}


# Trying again.


def test_a_retry_queues_what_ended_badly_with_fresh_tries(mugs):
    run = runs.start_run(plan_for(mugs))
    in_state(run, "refused", "failed", "cancelled")
    assert runs.retry_run(run) == 3
    for job in run.jobs.all():
        assert (job.state, job.attempts, job.finished_at) == ("queued", 0, None)
        assert job.live_key == job.fingerprint


def test_a_retry_leaves_what_is_underway_or_done(mugs):
    run = runs.start_run(plan_for(mugs))
    in_state(run, "succeeded", "calling", "waiting")
    assert runs.retry_run(run) == 0
    assert states(run) == {"succeeded": 1, "calling": 1, "waiting": 1}


def test_an_unknown_outcome_is_retried_only_by_name(mugs):
    run = runs.start_run(plan_for(mugs))
    in_state(run, "unknown", "unknown", "failed")
    assert runs.retry_run(run) == 1
    assert states(run) == {"unknown": 2, "queued": 1}
    assert runs.retry_run(run, unknown=True) == 2
    assert states(run) == {"queued": 3}


def test_a_retry_leaves_a_picture_that_another_run_is_making_and_takes_the_rest(mugs):
    first = runs.start_run(plan_for(mugs))
    runs.cancel_run(first)
    second = runs.start_run(plan_for(mugs[1:2]))
    assert second.jobs.count() == 1
    assert runs.retry_run(first) == 2
    assert states(first) == {"queued": 2, "cancelled": 1}
    assert states(second) == {"queued": 1}


def test_a_retry_leaves_a_picture_that_another_run_has_made_meanwhile(mugs):
    first = runs.start_run(plan_for(mugs))
    in_state(first, "failed", "failed", "failed")
    made = first.jobs.first().wanted
    factories.image(mugs[0], asked=made)
    factories.image(mugs[1], asked=first.jobs.all()[1].wanted, state="rejected")
    assert runs.retry_run(first) == 2
    assert states(first) == {"queued": 2, "failed": 1}
    assert first.jobs.get(fingerprint=made.fingerprint).state == "failed"


def test_a_retry_takes_a_place_once_the_other_run_has_let_go_of_it(mugs):
    first = runs.start_run(plan_for(mugs[:1]))
    runs.cancel_run(first)
    second = runs.start_run(plan_for(mugs[:1]))
    assert runs.retry_run(first) == 0
    transition_jobs(second.jobs.all(), "cancel")
    assert runs.retry_run(first) == 1


def test_a_retry_of_many_takes_a_constant_number_of_queries(mugs, django_assert_max_num_queries):
    run = factories.run()
    for _ in range(60):
        factories.job(mugs[0], of=run, state=JobState.FAILED)
    with django_assert_max_num_queries(16):
        assert runs.retry_run(run) == 60
    assert set(run.jobs.values_list("state", flat=True)) == {"queued"}


def test_of_two_failed_jobs_for_one_picture_a_retry_queues_one(mugs):
    run, asked = factories.run(), factories.spec(mugs[0])
    for _ in range(2):
        factories.job(mugs[0], of=run, asked=asked, state=JobState.FAILED)
    assert runs.retry_run(run) == 1
    assert sorted(run.jobs.values_list("state", flat=True)) == ["failed", "queued"]

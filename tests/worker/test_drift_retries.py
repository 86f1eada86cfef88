"""Members of a series whose pictures are too far from the anchor are made again, as often as asked for."""

from dataclasses import replace

import pytest
from django.db import OperationalError, transaction

from nb_catalog import generation, worker
from nb_catalog import series as catalog_series
from nb_catalog.billing import budgets
from nb_catalog.conf import settings as ours
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, ProductImage, ProviderCall, Run, Series
from nb_catalog.models.images import ImageKind
from nb_catalog.testing.scripted import Script
from nb_catalog.worker import persistence
from nb_catalog.worker.drift_retries import write_retries
from tests import factories
from tests.story.test_races import at_once
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = (1024, 1024)
RIGHT = factories.photo_bytes(SIZE, colour="#96908a", ground="#96908a")
WILD = factories.photo_bytes(SIZE, colour="#283c78", ground="#283c78")


@pytest.fixture
def script(settings):
    """A paid provider's script; its tier is "standard"."""
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {**settings.NB_CATALOG.get("PROVIDERS", {}), "paid": script.as_setting()},
        "TIERS": {
            "standard": {"PROVIDER": "paid", "MODEL": "gemini-nano-banana-2.1", "SIZE": "1K"},
        },
    }
    return script


@pytest.fixture
def retries(settings):
    """retries(n): members are made again n times."""

    def retries(number):
        settings.NB_CATALOG = {**settings.NB_CATALOG, "SERIES": {"DRIFT_RETRIES": number}}

    return retries


def anchored(*members):
    """A series whose backgrounds a model makes, and whose anchor has the background RIGHT."""
    series = factories.series(*members, tier="standard", treatment="locked")
    image = factories.image(state=ImageState.APPROVED, size=SIZE, data=RIGHT)
    image.checks = {"product": [300, 300, 400, 500]}
    image.save(update_fields=["checks"])
    catalog_series.save_look(catalog_series.with_anchor(series, image))
    return Series.objects.get()


def run_of(series, **options):
    run = runs.start_run(generation.plan_series(series), **options)
    worker.drain()
    run.refresh_from_db()
    return run


def made_by(run):
    return ProductImage.objects.filter(job__run=run, kind=ImageKind.PICTURE).order_by("pk")


@pytest.mark.parametrize(
    ("number", "answers", "calls"),
    [
        (0, [WILD], 1),
        (1, [RIGHT], 1),
        (1, [WILD, RIGHT], 2),
        (1, [WILD, WILD, RIGHT], 2),
        (3, [WILD, RIGHT], 2),
        (3, [WILD, WILD, WILD, WILD, RIGHT], 4),
    ],
)
def test_a_member_is_made_again_until_it_has_the_look_or_the_tries_are_used_up(
    script, retries, number, answers, calls
):
    retries(number)
    script.add(*answers)
    series = anchored(factories.product())
    plan = generation.plan_series(series)
    run = run_of(series)
    assert script.count == calls == ProviderCall.objects.count()
    images = list(made_by(run))
    assert [image.spec["variant"] for image in images] == [1, 101, 201, 301][:calls]
    assert {image.state for image in images} == {ImageState.PENDING}
    scores = [image.checks["drift"]["score"] for image in images]
    assert [score > 1 for score in scores] == [answer is WILD for answer in answers[:calls]]
    jobs = list(run.jobs.order_by("pk"))
    assert {job.state for job in jobs} == {JobState.SUCCEEDED}
    assert [job.error_code for job in jobs] == ["made_again"] * (calls - 1) + [""]
    assert all(images[0].checks["drift"]["worst"] in job.error for job in jobs[: calls - 1])
    assert run.estimate_usd == calls * plan.price_each_usd
    assert run.spent_microusd == money_is_sound() > 0


def test_only_the_members_that_drift_are_made_again(script, retries):
    retries(2)
    mugs = [factories.product() for _ in range(3)]
    series = anchored(*mugs)
    script.add(RIGHT, WILD, RIGHT, RIGHT)
    run = run_of(series)
    assert script.count == 4 == run.jobs.count()
    assert made_by(run).count() == 4
    shown = list(generation.member_pictures(Series.objects.get()))
    assert all(each.is_current and each.image.checks["drift"]["score"] < 1 for each in shown)
    # What is there is not planned again.
    assert generation.plan_series(Series.objects.get()).summary().wanted == 0


@pytest.mark.parametrize("kind", ["run", "day"])
def test_a_budget_that_is_reached_pauses_the_run_before_the_next_try(
    script, retries, settings, kind
):
    retries(2)
    script.add(WILD, RIGHT)
    series = anchored(factories.product())
    price = generation.plan_series(series).price_each_usd
    if kind == "day":
        settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": price}
    run = run_of(series, budget_usd=price if kind == "run" else None)
    assert script.count == 1
    assert run.paused_reason == (budgets.RUN_BUDGET if kind == "run" else budgets.DAY_BUDGET)
    assert sorted(run.jobs.values_list("state", flat=True)) == [
        JobState.QUEUED,
        JobState.SUCCEEDED,
    ]
    assert money_is_sound() <= price * 1_000_000
    settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": None}
    runs.resume_run(run, budget_usd=2 * price)
    worker.drain()
    assert script.count == 2
    assert money_is_sound() <= 2 * price * 1_000_000


def test_a_transaction_that_fails_at_its_end_and_is_repeated_writes_one_job(
    script, retries, monkeypatch
):
    retries(1)
    script.add(WILD, RIGHT)
    failures = []

    def write(outcomes):
        written = write_retries(outcomes)
        if written and not failures:
            failures.append(ImageJob.objects.count())
            raise OperationalError("The connection was lost.")
        return written

    monkeypatch.setattr(persistence, "write_retries", write)
    run = run_of(anchored(factories.product()))
    assert failures == [2]
    assert script.count == 2 == run.jobs.count() == made_by(run).count()
    assert run.spent_microusd == money_is_sound()


@pytest.fixture
def wild(script, retries, monkeypatch):
    """The outcome of a member whose picture is too far from the anchor, before anything is made again."""
    script.add(WILD)
    kept = []
    write = persistence.write_outcomes

    def keep(jobs, outcomes):
        kept.extend(outcomes)
        return write(jobs, outcomes)

    monkeypatch.setattr(persistence, "write_outcomes", keep)
    run_of(anchored(factories.product()))
    monkeypatch.undo()
    retries(1)
    [outcome] = kept
    return outcome


def calling_again(outcome):
    """As if its worker had not ended it yet."""
    made = ProductImage.objects.filter(job_id=outcome.job.job_id)
    made.exclude(parent=None).delete()
    made.delete()
    ImageJob.objects.update(state=JobState.CALLING, live_key=outcome.job.fingerprint)


def test_an_outcome_that_is_written_twice_has_its_member_made_again_once(wild):
    calling_again(wild)
    assert persistence.write_outcomes([], [wild]) == [True]
    ImageJob.objects.exclude(pk=wild.job.job_id).delete()
    assert persistence.write_outcomes([], [wild]) == [False]
    assert ImageJob.objects.count() == 1


def test_a_picture_of_a_worker_that_has_lost_its_job_is_kept_and_not_made_again(wild):
    calling_again(wild)
    ImageJob.objects.update(epoch=wild.job.epoch + 1)
    assert persistence.write_outcomes([], [wild]) == [False]
    assert ProductImage.objects.filter(job_id=wild.job.job_id).exists()
    assert ImageJob.objects.count() == 1


@pytest.mark.story
def test_two_workers_that_write_one_outcome_have_its_member_made_again_once(wild):
    calling_again(wild)
    results = at_once(*[lambda: persistence.write_outcomes([], [wild])] * 2)
    assert sorted(results) == [[False], [True]]
    assert ImageJob.objects.count() == 2
    assert Run.objects.get().estimate_microusd == 2 * wild.job.estimate_microusd


def drifted(outcome, **changes):
    """``outcome`` with another drift."""
    *others, picture = outcome.images
    drift = {**picture.checks["drift"], **changes}
    return replace(outcome, images=(*others, replace(picture, checks={"drift": drift})))


@pytest.mark.parametrize(
    ("change", "written"),
    [
        (lambda outcome: outcome, 1),
        (lambda outcome: drifted(outcome, score=1.01), 1),
        (lambda outcome: drifted(outcome, score=1.0), 0),
        (lambda outcome: drifted(outcome, score=None), 0),
        (lambda outcome: drifted(outcome, anchor="the next one"), 0),
        (lambda outcome: replace(outcome, move="fail"), 0),
        (lambda outcome: replace(outcome, job=replace(outcome.job, is_free=True)), 0),
        (
            lambda outcome: replace(
                outcome, job=replace(outcome.job, spec=outcome.job.spec.another_try())
            ),
            0,
        ),
    ],
)  # fmt: skip
def test_what_is_made_again(wild, change, written):
    assert write_retries([change(wild)]) == written == ImageJob.objects.count() - 1


def test_a_picture_that_was_not_shown_the_anchor_is_not_made_again(wild):
    spec = replace(wild.job.spec, anchor="")
    outcome = drifted(replace(wild, job=replace(wild.job, spec=spec)), anchor="")
    assert write_retries([outcome]) == 0


def test_the_next_job_is_like_the_first_one_and_its_member_keeps_the_seed(wild):
    ImageJob.objects.update(mode="batch", priority=7, turn=9)
    assert write_retries([wild]) == 1
    first, second = ImageJob.objects.order_by("pk")
    same = (
        "run_id", "content_type_id", "object_id", "kind", "tier", "provider", "model", "mode",
        "is_free", "estimate_microusd", "priority", "turn", "schema",
    )  # fmt: skip
    for name in same:
        assert getattr(second, name) == getattr(first, name), name
    assert (second.state, second.attempts, second.epoch, second.batch) == ("queued", 0, 0, None)
    assert second.live_key == second.fingerprint == second.wanted.fingerprint
    assert second.wanted == replace(first.wanted, variant=101)
    assert second.wanted.seed == first.wanted.seed


def test_what_exists_or_is_being_made_is_not_requested_again(wild):
    spec = wild.job.spec.another_try()
    image = factories.image(asked=spec, state=ImageState.REJECTED)
    assert write_retries([wild]) == 0
    image.delete()
    other = factories.job(asked=spec)
    assert write_retries([wild]) == 0
    assert not ImageJob.objects.filter(error_code="made_again").exists()
    other.delete()
    assert write_retries([wild]) == 1


def test_a_run_that_was_cancelled_gets_no_new_jobs_though_none_was_queued_then(wild):
    calling_again(wild)
    run = Run.objects.get()
    assert runs.cancel_run(run) == 0
    assert persistence.write_outcomes([], [wild]) == [True]
    assert ImageJob.objects.count() == 1
    # Somebody who has failed jobs of it retried wants its pictures again.
    factories.job(of=run, state=JobState.FAILED)
    assert runs.retry_run(run) == 1
    with transaction.atomic():
        assert write_retries([wild]) == 1


def test_a_job_that_a_worker_adds_while_its_run_is_being_cancelled_is_cancelled(wild, monkeypatch):
    run, transition = Run.objects.get(), runs.transition_jobs

    def meanwhile(jobs, move, **changes):
        number = transition(jobs, move, **changes)
        monkeypatch.undo()
        with transaction.atomic():
            write_retries([wild])
        return number

    monkeypatch.setattr(runs, "transition_jobs", meanwhile)
    assert runs.cancel_run(run) == 1
    assert ImageJob.objects.get(state=JobState.CANCELLED).pk != wild.job.job_id


def tries_of(series, *checks, states=None):
    """Pictures of the one member of ``series``: the planned one, and its further tries."""
    [item] = generation.plan_series(series).items()
    spec, images = item.spec, []
    mug = catalog_mug(series)
    for place, drift in enumerate(checks):
        state = states[place] if states else ImageState.PENDING
        image = factories.image(mug, asked=spec, state=state)
        image.checks = {"drift": drift}
        image.save(update_fields=["checks"])
        images.append(image)
        spec = spec.another_try()
    return images


def catalog_mug(series):
    return series.content_type.model_class().objects.get(pk=series.members.get().object_id)


@pytest.mark.parametrize(
    ("checks", "states", "best"),
    [
        ([{"score": 2.0}, {"score": 0.5}], None, 1),
        ([{"score": 2.0}, {"score": 3.0}], None, 0),
        ([{"score": 2.0}, {"score": 1.5}, {"score": 4.0}, {"score": 1.2}], None, 3),
        ([{"score": 2.0}, {"missing": "covered"}], None, 0),
        ([{"score": 0.4}, {"score": 0.3}], None, 0),
        ([{"score": 2.0}, {"score": 0.5}], ["approved", "pending"], 0),
        ([{"score": 2.0}, {"score": 1.5}, {"score": 0.5}], ["pending", "approved", "pending"], 1),
        ([{"score": 2.0}, {"score": 0.5}], ["pending", "rejected"], 0),
        ([{"score": 2.0}, {"score": 1.4}, {"score": 0.5}], ["rejected", "pending", "pending"], 2),
    ],
)
def test_the_page_of_a_series_shows_the_best_try(script, checks, states, best):
    series = anchored(factories.product())
    images = tries_of(series, *checks, states=states)
    [picture] = generation.member_pictures(series)
    assert picture.is_current
    assert picture.image == images[best]


@pytest.mark.parametrize(
    "value",
    [
        {"DRIFT_RETRIES": 4},
        {"DRIFT_RETRIES": -1},
        {"RETRIES": 1},
        {"DRIFT_RETRIES": True},
        {"DRIFT_RETRIES": "1"},
        2,
    ],
)
def test_a_setting_that_is_not_valid_is_refused(settings, value):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "SERIES": value}
    with pytest.raises(InvalidSettings, match="SERIES.*DRIFT_RETRIES, a whole number from 0 to 3"):
        assert ours.SERIES


def test_nothing_is_made_again_unless_somebody_asks_for_it():
    assert ours.SERIES == {"DRIFT_RETRIES": 0}

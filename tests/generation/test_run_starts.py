"""Large runs: the worker writes their jobs, block by block."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils.translation import override

from nb_catalog import generation
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.generation import planning, run_starts, runs
from nb_catalog.models import ImageJob, Run, RunNotice, RunStart, RunStartBlock, Scene
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.transitions import transition_jobs
from nb_catalog.publishing import placements
from nb_catalog.registry import source_for
from nb_catalog.worker import run_starts as claims
from nb_catalog.worker import work_is_waiting
from tests import factories
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db

LOCAL_TIERS = {"draft": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"}}


@pytest.fixture
def small_blocks(monkeypatch):
    """Five products are a large run here, and two of them a block."""
    monkeypatch.setattr(runs, "LARGE_RUN", 4)
    monkeypatch.setattr(run_starts, "BLOCK_PICTURES", 2)


@pytest.fixture
def mugs():
    """Five of them, by names of photos that nobody reads here."""
    factories.scene()
    made = [Mug(name=f"Mug {number}", packshot=f"mugs/{number}.png") for number in range(5)]
    return list(Mug.objects.bulk_create(made))


def plan_for(products, **options):
    return generation.plan_backgrounds(products, scenes=["marble"], **options)


def write_all(owner="somebody"):
    blocks = 0
    while claims.write_next_block(owner=owner):
        blocks += 1
    return blocks


def expire_lease():
    past = database_now() - timedelta(seconds=1)
    RunStart.objects.exclude(lease_until=None).update(lease_until=past)


def test_more_than_a_thousand_pictures_are_written_by_the_worker():
    factories.scene()
    Mug.objects.bulk_create(
        Mug(name=f"Mug {number}", packshot=f"mugs/{number}.png") for number in range(1001)
    )
    plan = plan_for(Mug.objects.order_by("-pk"))
    wanted = [item.fingerprint for item in plan.items()]
    run = runs.start_run(plan, actor=factories.staff(), budget_usd=Decimal(7), priority=3)
    assert not run.jobs.exists()
    assert (run.starting.products, run.starting.written) == (1001, 0)
    assert write_all() == 5
    run = Run.objects.get()
    assert run.starting is None and run.budget_usd == 7 and run.actor is not None
    jobs = list(run.jobs.order_by("turn").values_list("fingerprint", "turn", "priority"))
    assert jobs == [(fingerprint, turn, 3) for turn, fingerprint in enumerate(wanted)]
    assert not RunStartBlock.objects.exists()


def test_a_thousand_pictures_are_written_at_once():
    factories.scene()
    Mug.objects.bulk_create(
        Mug(name=f"Mug {number}", packshot=f"mugs/{number}.png") for number in range(500)
    )
    run = runs.start_run(plan_for(Mug.objects.all(), variants=2))
    assert run.starting is None and run.jobs.count() == 1000


def test_many_pictures_of_few_products_are_a_large_run_too(mugs, monkeypatch):
    monkeypatch.setattr(runs, "LARGE_RUN", 9)
    run = runs.start_run(plan_for(mugs, variants=2))
    assert run.starting is not None
    assert write_all() and run.jobs.count() == 10


def test_a_large_plan_started_twice_is_one_run(mugs, small_blocks):
    plan = plan_for(mugs)
    run = runs.start_run(plan)
    claims.write_next_block(owner="somebody")
    assert runs.start_run(plan) == run
    write_all()
    assert runs.start_run(plan) == run and ImageJob.objects.count() == 5
    assert RunStart.objects.count() == 0


def test_the_money_of_a_large_run_is_that_of_its_jobs(mugs, small_blocks, settings):
    tier = {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": {"draft": tier}}
    plan = plan_for(mugs)
    run = runs.start_run(plan)
    write_all()
    run.refresh_from_db()
    assert run.estimate_usd == 5 * plan.price_each_usd > 0
    assert not run.jobs.filter(is_free=True).exists()


def test_what_exists_and_what_is_not_possible_is_counted(mugs, small_blocks):
    item = next(plan_for(mugs[:1]).items())
    factories.image(mugs[0], asked=item.spec)
    Mug.objects.filter(pk=mugs[1].pk).update(packshot="")
    run = runs.start_run(plan_for(Mug.objects.order_by("pk")))
    mugs[4].delete()
    write_all()
    run.refresh_from_db()
    assert (run.reused, run.jobs.count()) == (1, 2)
    assert run.problems == {
        "The product has no photo. Upload one.": 1,
        run_starts.GONE: 1,
    }


def test_a_small_run_says_too_what_is_not_possible(mugs):
    Mug.objects.filter(pk=mugs[1].pk).update(packshot="")
    run = runs.start_run(plan_for(Mug.objects.all()))
    assert run.problems == {"The product has no photo. Upload one.": 1}


# Death and error.


@pytest.mark.parametrize("place", ["planning.plan_again", "write_jobs", "lease_end"])
def test_another_worker_carries_on_where_one_died(mugs, small_blocks, monkeypatch, place):
    run = runs.start_run(plan_for(mugs))
    assert claims.write_next_block(owner="first")

    def die(*_args, **_options):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(f"nb_catalog.generation.run_starts.{place}", die)
        with pytest.raises(SystemExit):
            claims.write_next_block(owner="first")
    assert run.jobs.count() == 2, "the block that was being written is rolled back whole"
    assert not claims.write_next_block(owner="second"), "the first may be alive"
    assert not claims.are_waiting()
    expire_lease()
    assert claims.are_waiting() and work_is_waiting()
    assert write_all("second") == 2
    keys = list(run.jobs.values_list("object_id", flat=True))
    assert sorted(keys) == sorted(str(mug.pk) for mug in mugs)


def test_a_worker_that_comes_too_late_writes_nothing(mugs, small_blocks):
    run = runs.start_run(plan_for(mugs))
    frozen = RunStart.objects.prefetch_related("blocks").get()
    write_all()
    assert frozen.blocks.first() is not None, "as it saw it when it froze"
    ImageJob.objects.all().delete()
    run_starts.write_block(frozen)
    assert not run.jobs.exists()


def test_a_run_that_kills_its_workers_stops(mugs, small_blocks, monkeypatch):
    runs.start_run(plan_for(mugs))

    def die(_start):
        raise SystemExit

    for number in range(claims.MOST_DEATHS):
        with monkeypatch.context() as patched:
            patched.setattr(run_starts, "write_block", die)
            with pytest.raises(SystemExit):
                claims.write_next_block(owner=f"worker-{number}")
        expire_lease()
    assert not claims.write_next_block(owner="last")
    start = RunStart.objects.get()
    assert start.error.startswith("3 workers died") and not claims.are_waiting()


def test_a_slice_of_time_that_ends_lets_the_next_one_go_on(mugs, small_blocks):
    runs.start_run(plan_for(mugs))
    claims.write_next_block(owner="first")
    claims.release(owner="first")
    assert claims.write_next_block(owner="second")
    assert RunStart.objects.get().deaths == 0


def test_a_plan_that_is_not_possible_any_more_stops_and_goes_on(mugs, small_blocks):
    run = runs.start_run(plan_for(mugs))
    claims.write_next_block(owner="somebody")
    Scene.objects.all().delete()
    assert claims.write_next_block(owner="somebody")
    stopped = Run.objects.get().starting
    assert "There are no scenes yet" in stopped.error
    assert not claims.are_waiting() and write_all() == 0
    factories.scene()
    assert runs.retry_run(run) == 0
    assert run.starting.error == ""
    write_all()
    assert run.jobs.count() == 5 and Run.objects.get().starting is None


def test_the_end_of_a_run_that_had_stopped_is_reported_again(mugs, small_blocks):
    """The jobs written before it stopped have succeeded: nothing is queued, and the writing goes on."""
    run = runs.start_run(plan_for(mugs))
    RunStart.objects.update(error="There are no scenes yet.")
    RunNotice.objects.create(run=run, due_at=None, informed_of="ended")
    assert runs.retry_run(run) == 0
    notice = RunNotice.objects.get()
    assert notice.informed_of == "" and notice.due_at is not None
    # A retry that does nothing reports nothing either.
    RunNotice.objects.update(due_at=None, informed_of="ended")
    assert runs.retry_run(run) == 0
    assert RunNotice.objects.get().informed_of == "ended"


def test_code_of_the_host_that_breaks_stops_its_own_run_alone(mugs, small_blocks, monkeypatch):
    broken = runs.start_run(plan_for(mugs[:4] + [factories.product(photo=False)]))
    posters = [factories.poster() for _ in range(5)]
    whole = runs.start_run(plan_for(posters))

    def queryset():
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(source_for(Mug), "queryset", queryset)
    write_all()
    assert whole.jobs.count() == 5
    start = Run.objects.get(pk=broken.pk).starting
    assert "ZeroDivisionError" in start.error and "secret" not in start.error


def test_a_tier_that_was_changed_after_the_price_was_confirmed_is_refused(
    mugs, small_blocks, settings
):
    runs.start_run(plan_for(mugs))
    tier = {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": {"draft": tier}}
    write_all()
    assert "was changed after this run was confirmed" in RunStart.objects.get().error
    assert not ImageJob.objects.exists()


@pytest.mark.parametrize("trouble", ["tier", "code", "deaths", "gone"])
def test_what_stopped_a_run_is_stored_in_the_language_of_the_site(
    mugs, small_blocks, monkeypatch, settings, trouble
):
    with override("de"):
        run = runs.start_run(plan_for(mugs))
        tier = {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}
        match trouble:
            case "tier":
                settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": {"draft": tier}}
            case "code":
                monkeypatch.setattr(source_for(Mug), "queryset", lambda: 1 / 0)
            case "deaths":
                RunStart.objects.update(
                    deaths=claims.MOST_DEATHS, lease_owner="a", lease_until=None
                )
            case "gone":
                mugs[0].delete()
        write_all()
    said = {
        "tier": "Die Stufe 'draft' wurde geändert",
        "code": "brach mit ZeroDivisionError ab",
        "deaths": "3 Worker starben",
        "gone": "Das Produkt gibt es nicht mehr",
    }
    row = Run.objects.get(pk=run.pk)
    stored = [*row.problems] if row.starting is None else [row.starting.error]
    assert any(said[trouble] in each for each in stored), stored


def test_a_run_is_cancelled_while_it_is_starting(mugs, small_blocks):
    run = runs.start_run(plan_for(mugs))
    claims.write_next_block(owner="somebody")
    assert runs.cancel_run(run) == 2
    assert run.starting is None and write_all() == 0
    assert set(run.jobs.values_list("state", flat=True)) == {JobState.CANCELLED}
    assert not RunStartBlock.objects.exists()


def test_the_count_of_a_run_is_not_final_while_it_is_starting(mugs, small_blocks):
    run = runs.start_run(plan_for(mugs))
    claims.write_next_block(owner="somebody")
    ImageJob.objects.update(state=JobState.CALLING)
    transition_jobs(run.jobs.all(), "succeed")
    assert generation.job_counts.counts_for([Run.objects.get()])[run.pk].total() == 2
    write_all()
    assert generation.job_counts.counts_for([Run.objects.get()])[run.pk].total() == 5


# What is stored.


def texts(products, **options):
    for product in products:
        factories.image(product)
    return generation.plan_texts(products, layouts=[factories.layout().key], **options)


def painted(products):
    return texts(products, text="painted", tier="paid", locales=["en"])


def with_text(products, **changes):
    """Their pictures with a text, whose specs have ``changes``."""
    specs = [item.spec for item in texts(products, locales=["en"]).items()]
    return [
        factories.image(
            product, asked=replace(spec, **changes), locale="en", state=ImageState.APPROVED
        )
        for product, spec in zip(products, specs, strict=True)
    ]


def outdated(products):
    for image in with_text(products, renderer={"layout": {}, "texts": {"headline": "Old"}}):
        placements.publish(image, slot="hero", locale="en", actor=None)
    return generation.plan_refresh(products)


def typeset_instead(products):
    return generation.plan_replacement(with_text(products, prompt="Paint it."))


@pytest.mark.parametrize(
    "make_plan",
    [
        lambda products: plan_for(products, variants=3, ratio="4:5"),
        lambda products: plan_for(products, tier="paid", treatment="painted"),
        texts,
        painted,
        outdated,
        typeset_instead,
    ],
)
def test_every_plan_is_planned_again_from_what_is_stored(mugs, make_plan, settings):
    tier = {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}
    tiers = {**LOCAL_TIERS, "paid": tier}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": tiers}
    plan = make_plan(mugs)
    stored = json.loads(json.dumps(planning.stored_request(plan.planner)))
    again = planning.plan_again(stored, mugs)
    wanted = [item.fingerprint for item in plan.items() if item.is_wanted]
    assert wanted and [item.fingerprint for item in again.items() if item.is_wanted] == wanted
    assert again.title == plan.title and again.price_each_usd == plan.price_each_usd


def test_keys_are_stored_compactly(small_blocks, monkeypatch):
    monkeypatch.setattr(run_starts, "BLOCK_PICTURES", 500)
    factories.scene()
    Mug.objects.bulk_create(Mug(name=str(n), packshot="m.png") for n in range(2000))
    runs.start_run(plan_for(Mug.objects.all()))
    assert RunStartBlock.objects.count() == 8
    assert sum(len(str(block.keys)) for block in RunStartBlock.objects.all()) < 2000 * 12

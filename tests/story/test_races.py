"""Several connections at the same rows at the same moment, on every database."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from nb_catalog import generation, ratelimit, worker
from nb_catalog.billing import budgets
from nb_catalog.exceptions import InvalidTransition, Overloaded
from nb_catalog.generation import runs
from nb_catalog.models import (
    DailyBudget,
    ImageJob,
    ProductImage,
    ProviderPause,
    RateLimitState,
    Run,
)
from nb_catalog.models.db.clock import database_now
from nb_catalog.testing.scripted import Script
from nb_catalog.worker import claims, recovery
from nb_catalog.worker.db_writer import with_db_retry
from tests import factories
from tests.catalog.models import Mug

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]

MODEL = "gemini-3.1-flash-lite-image"


def at_once(*works):
    """Each of ``works`` in a thread and on a connection of its own, all at the same moment; what
    they answered, or raised."""
    start, answers = threading.Barrier(len(works)), [None] * len(works)

    def one(place, work):
        start.wait(10)
        try:
            answers[place] = work()
        except Exception as error:  # noqa: BLE001 - it is what is looked at
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.fixture
def paid(settings):
    """A paid provider, and jobs of it: ``paid(n)``. ``paid.script`` is what it answers."""
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"paid": script.as_setting()},
        "TIERS": {"draft": {"PROVIDER": "paid", "MODEL": MODEL, "SIZE": "1K"}},
    }

    def jobs(count, **fields):
        of = factories.run()
        about = factories.product()
        for _ in range(count):
            asked = factories.spec(about, provider="paid", model=MODEL)
            factories.job(about, of=of, asked=asked, **fields)
        return of

    jobs.script = script
    return jobs


def mug_plan(count, **options):
    factories.scene()
    mugs = [factories.product().pk for _ in range(count)]
    return generation.plan_backgrounds(
        Mug.objects.filter(pk__in=mugs), scenes=["marble"], **options
    )


def test_no_job_is_claimed_twice_and_none_is_forgotten(paid):
    paid(60)

    def claim(owner):
        taken = []
        while jobs := with_db_retry(claims.claim, owner=owner, limit=5, free=False):
            taken += [job.job_id for job in jobs]
        return taken

    taken = [
        job for jobs in at_once(*[lambda n=n: claim(f"w{n}") for n in range(4)]) for job in jobs
    ]
    assert Counter(Counter(taken).values()) == {1: 60}


def test_slots_and_places_are_given_out_once(paid, settings):
    quotas = {"REQUESTS_PER_MINUTE": 610, "BURST": 0, "IN_FLIGHT": 15}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "QUOTAS": {"paid": {MODEL: quotas}}}
    paid(60)
    ratelimit.reduce_concurrency("paid", MODEL, now=database_now() - timedelta(days=1))
    RateLimitState.objects.update(cap=None, cap_at=None, cap_before=None)

    def claim(owner):
        return [
            o
            for _ in range(3)
            for o in with_db_retry(claims.claim, owner=owner, limit=4, free=False)
        ]

    jobs = [o for taken in at_once(*[lambda n=n: claim(f"w{n}") for n in range(4)]) for o in taken]
    assert len(jobs) == 15
    moments = sorted(job.goes_at for job in jobs)
    assert moments[-1] - moments[0] == pytest.approx(1.4, abs=0.5), "a tenth of a second apart"


def test_a_budget_is_never_passed_by_a_cent(paid, settings):
    """Sixteen at a time reserve 7 cents each against a dollar a day."""
    settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": "1"}
    of = [factories.run().pk for _ in range(4)]
    day = timezone.now().date()

    def reserve(place):
        def tries():
            return sum(
                len(with_db_retry(_reserved, {of[place % 4]: {place * 10 + n: 70_000}}, day=day))
                for n in range(3)
            )

        return tries

    let_through = sum(at_once(*[reserve(place) for place in range(16)]))
    today = DailyBudget.objects.get(day=day)
    assert today.reserved_microusd == let_through * 70_000 <= 1_000_000
    assert let_through == 14, "as many as the dollar buys"
    assert sum(Run.objects.values_list("reserved_microusd", flat=True)) == today.reserved_microusd


def _reserved(amounts, *, day):
    from django.db import transaction

    with transaction.atomic():
        return budgets.reserve(amounts, day=day)


def test_one_plan_started_twice_at_once_is_one_run():
    plan = mug_plan(5)
    found = at_once(*[lambda: runs.start_run(plan)] * 4)
    assert {run.pk for run in found if isinstance(run, Run)} == {Run.objects.get().pk}
    assert not [each for each in found if isinstance(each, InvalidTransition)]
    assert ImageJob.objects.count() == 5


def test_two_plans_of_the_same_pictures_make_them_once():
    plan = mug_plan(6)
    others = [plan, mug_plan_like(plan)]
    at_once(*[lambda each=each: runs.start_run(each) for each in others])
    assert ImageJob.objects.count() == 6
    worker.drain()
    assert ProductImage.objects.count() == 6


def mug_plan_like(plan):
    """The same pictures asked for once more, as another request."""
    from dataclasses import replace

    return replace(plan, key="another" + plan.key[7:])


def test_cancelling_while_it_finishes_ends_in_one_of_the_two(paid):
    of = runs.start_run(mug_plan(12, treatment="painted"))
    paid.script.seconds = 0.05

    def cancel():
        return sum(with_db_retry(runs.cancel_run, of) for _ in range(40))

    at_once(cancel, lambda: worker.drain(concurrency=2))
    worker.drain()
    states = Counter(ImageJob.objects.values_list("state", flat=True))
    assert set(states) <= {"succeeded", "cancelled"} and sum(states.values()) == 12
    assert states["succeeded"] == ProductImage.objects.count() == paid.script.count


def test_two_sweeps_take_each_job_up_once(paid):
    gone = timezone.now() - timedelta(minutes=5)
    paid(30, state="leased", lease_until=gone, lease_owner="dead")
    freed = at_once(*[lambda: with_db_retry(recovery.free_expired_leases)] * 3)
    assert sum(freed) == 30
    assert set(ImageJob.objects.values_list("state", flat=True)) == {"queued"}


def test_an_overload_that_all_workers_notice_halves_once(paid):
    paid(16, state="calling", lease_until=timezone.now() + timedelta(minutes=1))

    def heed():
        return with_db_retry(
            ratelimit.record_backoff, Overloaded("Busy."), provider="paid", model=MODEL
        )

    assert not [each for each in at_once(*[heed] * 6) if each is not None]
    assert ratelimit.in_flight_caps() == {("paid", MODEL): 8}


def test_a_pause_that_all_workers_write_is_one_row(paid):
    from nb_catalog.exceptions import RateLimited

    def heed(seconds):
        error = RateLimited("Slow down.", retry_after=seconds)
        return lambda: with_db_retry(ratelimit.record_backoff, error, provider="paid", model=MODEL)

    assert not [each for each in at_once(*[heed(n) for n in (3, 60, 9)]) if each is not None]
    pause = ProviderPause.objects.get()
    assert (pause.until - database_now()).total_seconds() == pytest.approx(60, abs=10)


def test_the_sum_of_what_was_paid_survives_a_crowd(paid):
    """Four workers at one run: money in the run, in the day and in the calls is the same."""
    runs.start_run(mug_plan(40, treatment="painted"))
    at_once(*[lambda: worker.drain(concurrency=4)] * 4)
    worker.drain()
    run = Run.objects.get()
    assert set(ImageJob.objects.values_list("state", flat=True)) == {"succeeded"}
    assert paid.script.count == 40
    spent = DailyBudget.objects.get().spent_microusd
    assert run.spent_microusd == spent > 0 and run.reserved_microusd == 0
    assert Decimal(spent) / 40 == Decimal(33_910)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="It locks no single rows.")
def test_a_sweep_leaves_alone_what_a_frozen_worker_has_locked(paid):
    """Of each kind one job is locked by somebody who will not go on, and nobody waits for him."""
    for state in ("leased", "calling", "waiting"):
        paid(2, state=state)
    past = timezone.now() - timedelta(minutes=1)
    ImageJob.objects.update(lease_until=past, not_before=past)
    held = list(ImageJob.objects.order_by("pk").values_list("pk", flat=True))[::2]
    frozen, swept = threading.Event(), threading.Event()

    def freeze():
        with transaction.atomic():
            list(ImageJob.objects.filter(pk__in=held).select_for_update())
            frozen.set()
            assert swept.wait(10), "The sweep waits."

    def sweep():
        frozen.wait(10)
        recovery.sweep()
        swept.set()

    assert at_once(freeze, sweep) == [None, None]
    in_order = ImageJob.objects.order_by("pk").values_list("state", flat=True)
    assert list(in_order) == ["leased", "queued", "calling", "unknown", "waiting", "queued"]

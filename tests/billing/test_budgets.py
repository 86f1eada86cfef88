"""Budgets, to the micro-dollar: reserved before, settled after, never passed."""

import random
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from nb_catalog.billing import budgets as money
from nb_catalog.checks import check_settings
from nb_catalog.models import DailyBudget, DailyBudgetShare, Run
from nb_catalog.models.db.money import micros, usd
from tests import factories

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 21)
NEXT_DAY = date(2026, 11, 22)


@pytest.fixture
def day_budget(settings):
    def day_budget(amount):
        settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": amount}

    return day_budget


def run_with(budget_microusd=None):
    return factories.run(budget_usd=None if budget_microusd is None else usd(budget_microusd))


def reserve(run, *amounts, day=DAY):
    """How many of ``amounts`` were let through."""
    return len(money.reserve({run.pk: dict(enumerate(amounts))}, day=day))


def settle(run, *pairs, day=DAY):
    money.settle(
        money.SettledCall(run.pk, day, reserved, cost, "gemini-3.1-flash-lite-image", "marble")
        for reserved, cost in pairs
    )


def sums(row):
    row.refresh_from_db()
    return row.reserved_microusd, row.spent_microusd


def day_sums(day=DAY):
    return sums(DailyBudget.objects.get(day=day))


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("0.0336", 33_600), ("0.0000001", 1), ("0", 0), ("12.3456789", 12_345_679)],
)
def test_dollars_become_whole_micro_dollars_rounded_up(amount, expected):
    assert micros(Decimal(amount)) == expected


def test_what_is_reserved_becomes_what_was_spent_to_the_micro_dollar():
    run = run_with()
    assert reserve(run, 36_001, 36_001, 7) == 3
    assert sums(run) == day_sums() == (72_009, 0)
    settle(run, (36_001, 33_911), (7, 0))
    assert sums(run) == day_sums() == (36_001, 33_911)
    settle(run, (36_001, 40_000))
    assert sums(run) == day_sums() == (0, 73_911)


def test_hundreds_of_small_amounts_do_not_drift():
    run = run_with()
    for _ in range(300):
        assert reserve(run, 33_333, 1) == 2
        settle(run, (33_333, 33_331), (1, 1))
    assert sums(run) == day_sums() == (0, 300 * 33_332)


def test_a_budget_is_used_to_its_last_micro_dollar_and_not_one_further():
    exact, short = run_with(100), run_with(99)
    assert reserve(exact, 60, 40) == 2
    assert reserve(short, 60, 40) == 1
    assert (sums(exact)[0], sums(short)[0]) == (100, 60)
    assert (exact.paused_reason, short.paused_reason) == ("", money.RUN_BUDGET)
    assert day_sums() == (160, 0), "what the run refused is not held by the day"


def test_what_was_spent_counts_against_the_budget():
    run = run_with(100)
    reserve(run, 60)
    settle(run, (60, 80))
    assert reserve(run, 21) == 0
    run.refresh_from_db()
    assert run.paused_reason == money.RUN_BUDGET


def test_a_budget_of_nothing_lets_only_what_is_free_through():
    run = run_with(0)
    assert reserve(run, 0) == 1
    assert reserve(run, 1) == 0


def test_a_paused_run_reserves_nothing_more_and_keeps_its_reason():
    run = run_with()
    Run.objects.filter(pk=run.pk).update(paused_reason="A person stopped it.")
    assert reserve(run, 5) == 0
    assert sums(run) == day_sums() == (0, 0)
    assert run.paused_reason == "A person stopped it."


def test_a_day_s_budget_bounds_all_runs_together(day_budget):
    day_budget("0.0001")
    first, second = run_with(), run_with()
    assert reserve(first, 70) == 1
    assert reserve(second, 20, 20) == 1
    assert day_sums() == (90, 0)
    second.refresh_from_db()
    assert second.paused_reason == money.DAY_BUDGET
    assert sums(second) == (20, 0)


def test_the_next_day_has_a_budget_of_its_own(day_budget):
    day_budget("0.0001")
    first, second = run_with(), run_with()
    assert reserve(first, 100) == 1
    assert reserve(second, 100, day=NEXT_DAY) == 1
    assert (day_sums(DAY), day_sums(NEXT_DAY)) == ((100, 0), (100, 0))


def test_a_call_is_settled_on_the_day_it_was_sent():
    run = run_with()
    reserve(run, 100, day=DAY)
    settle(run, (100, 90), day=DAY)
    reserve(run, 50, day=NEXT_DAY)
    assert (day_sums(DAY), day_sums(NEXT_DAY)) == ((0, 90), (50, 0))


def test_several_runs_are_judged_each_on_its_own():
    poor, rich = run_with(10), run_with(1000)
    let_through = money.reserve({poor.pk: {1: 8, 2: 8}, rich.pk: {3: 8, 4: 8}}, day=DAY)
    assert let_through == {1, 3, 4}
    assert day_sums() == (24, 0)


@pytest.mark.parametrize("seed", range(4))
def test_no_interleaving_passes_a_budget(day_budget, seed):
    """Reserving and settling at random, costs up to what was reserved."""
    chance = random.Random(seed)
    day_budget(usd(5_000))
    runs = [run_with(chance.choice([1_000, 2_500, None])) for _ in range(3)]
    out = []
    for _ in range(150):
        if out and chance.random() < 0.5:
            run, amount = out.pop(chance.randrange(len(out)))
            settle(run, (amount, chance.randint(0, amount)))
        else:
            run, amount = chance.choice(runs), chance.randint(1, 400)
            out += [(run, amount)] * reserve(run, amount)
        assert sum(day_sums()) <= 5_000
        totals = [sums(run) for run in runs]
        assert tuple(map(sum, zip(*totals, strict=True))) == day_sums()
        for run, total in zip(runs, totals, strict=True):
            assert run.budget_microusd is None or sum(total) <= run.budget_microusd
            assert run.reserved_microusd == sum(a for r, a in out if r == run)


# Shares of a day: tiers and users


@pytest.fixture
def budgets(settings):
    def give(**given):
        settings.NB_CATALOG = {**settings.NB_CATALOG, **given}

    return give


def share_sums(kind, name, day=DAY):
    row = DailyBudgetShare.objects.get(day=day, kind=kind, name=str(name))
    return row.reserved_microusd, row.spent_microusd


def test_every_purse_has_the_same_money():
    anna = factories.staff(name="anna")
    run = factories.run(tier="premium", actor=anna)
    assert reserve(run, 100, 200) == 2
    settle(run, (100, 40))
    expected = (200, 40)
    assert sums(run) == day_sums() == expected
    assert share_sums("tier", "premium") == share_sums("user", anna.pk) == expected


def test_a_tier_s_budget_bounds_all_its_runs_and_no_others(budgets):
    budgets(TIER_DAILY_BUDGETS_USD={"premium": "0.0001"})
    first, second = (factories.run(tier="premium") for _ in range(2))
    draft = factories.run(tier="draft")
    assert [reserve(run, 60) for run in (first, second, draft)] == [1, 0, 1]
    second.refresh_from_db()
    assert second.paused_reason == money.TIER_BUDGET
    assert day_sums() == (120, 0), "what was not let through is in no purse"


def test_a_user_s_budget_is_their_own_or_everybody_s(budgets):
    budgets(USER_DAILY_BUDGETS_USD={"*": "0.0001", "anna": "0.0002"})
    anna, ben = factories.staff(name="anna"), factories.staff(name="ben")
    runs = [factories.run(actor=actor) for actor in (anna, anna, ben, ben, None)]
    assert [reserve(run, 90) for run in runs] == [1, 1, 1, 0, 1]
    runs[3].refresh_from_db()
    assert runs[3].paused_reason == money.USER_BUDGET
    assert share_sums("user", ben.pk) == (90, 0)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [({"DAILY_BUDGET_USD": "0.0001"}, money.DAY_BUDGET),
     ({"TIER_DAILY_BUDGETS_USD": {"draft": "0.0001"}}, money.TIER_BUDGET),
     ({"USER_DAILY_BUDGETS_USD": {"*": "0.0001"}}, money.USER_BUDGET)],
)  # fmt: skip
def test_a_day_s_pause_ends_with_the_day_or_with_more_money(budgets, settings, setting, reason):
    budgets(**setting)
    run = factories.run(tier="draft", actor=factories.staff(name="anna"))
    assert reserve(run, 60, 60) == 1
    settle(run, (60, 100))
    run.refresh_from_db()
    assert run.paused_reason == reason
    assert money.resume(day=DAY) == 0, "nothing is left of it today"
    assert money.resume(day=NEXT_DAY) == 1
    Run.objects.filter(pk=run.pk).update(paused_reason=reason)
    settings.NB_CATALOG = {
        key: value for key, value in settings.NB_CATALOG.items() if key not in setting
    }
    assert money.resume(day=DAY) == 1
    run.refresh_from_db()
    assert run.paused_reason == ""


def test_a_run_s_own_budget_is_for_a_person_to_raise():
    run = factories.run(paused_reason=money.RUN_BUDGET)
    assert money.resume(day=NEXT_DAY) == 0
    now = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert money.resumes_at(run.paused_reason, now=now) is None
    assert money.resumes_at(money.USER_BUDGET, now=now) == datetime(2026, 11, 22, tzinfo=UTC)


def test_a_run_that_nobody_started_has_no_user_s_budget(budgets):
    budgets(USER_DAILY_BUDGETS_USD={"*": "0"})
    assert reserve(factories.run(actor=None), 60) == 1
    assert not DailyBudgetShare.objects.filter(kind="user").exists()


@pytest.mark.parametrize(
    ("setting", "ids"),
    [
        ({"TIER_DAILY_BUDGETS_USD": {"premum": "5"}}, ["nb_catalog.E006"]),
        ({"TIER_DAILY_BUDGETS_USD": {"premium": "-5"}}, ["nb_catalog.E001"]),
        ({"USER_DAILY_BUDGETS_USD": {"*": 5.5}}, ["nb_catalog.E001"]),
        ({"USER_DAILY_BUDGETS_USD": {"*": None}}, ["nb_catalog.E001"]),
        ({"USER_DAILY_BUDGETS_USD": "10"}, ["nb_catalog.E001"]),
        ({"USER_DAILY_BUDGETS_USD": {"*": "much"}}, ["nb_catalog.E001"]),
        ({"USER_DAILY_BUDGETS_USD": {"": "1"}}, ["nb_catalog.E001"]),
        ({"DAILY_BUDGET_USD": "NaN"}, ["nb_catalog.E001"]),
    ],
)
def test_wrong_budgets_are_told_before_anything_is_spent(budgets, setting, ids):
    budgets(**setting)
    assert [each.id for each in check_settings()] == ids

"""Finals within a budget: the most valuable ones, never for more than the budget."""

from decimal import Decimal

import pytest

from nb_catalog import generation, worker
from nb_catalog.exceptions import RegistryError, RequestRefused
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, ProviderCall, Run
from nb_catalog.registry import source_for, value_of
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.escalation.conftest import draft, paid
from tests.story.test_races import at_once
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)


def worth(**by_colour):
    return lambda product: by_colour.get(product.colour, 1)


def drafts(*colours):
    return [paid(factories.product(colour=colour), state="approved") for colour in colours]


def price(images):
    return generation.plan_escalation(images, candidates=1).price_each_usd


def test_the_most_valuable_pictures_are_chosen_and_the_others_named(script):
    images = drafts("grey", "red", "blue", "green")
    each = price(images)
    choice = generation.plan_escalations(
        images, budget_usd=each * 2, value=worth(red=5, green=9, blue=7, grey=0)
    )
    assert [image.pk for image in choice.chosen] == [images[3].pk, images[2].pk]
    assert choice.price_usd == 2 * each and choice.value == 16
    reasons = {left.image.pk: left.reason for left in choice.left_out}
    assert "used up by pictures of more valuable products" in reasons[images[1].pk]
    assert "the value 0" in reasons[images[0].pk]
    assert choice.plan.summary().price_usd == 2 * each


def test_equal_values_keep_the_order_of_the_request_and_candidates_count(script):
    images = drafts("red", "red", "red")
    each = price(images)
    choice = generation.plan_escalations(images, budget_usd=each * 5, candidates=2)
    assert choice.chosen == tuple(images[:2]) and choice.price_usd == 4 * each


def test_a_budget_that_is_a_micro_dollar_too_small_buys_nothing(script):
    images = drafts("red")
    each = price(images)
    enough = generation.plan_escalations(images, budget_usd=each)
    short = generation.plan_escalations(images, budget_usd=each - Decimal("0.000001"))
    assert enough.chosen and not short.chosen
    assert short.plan is None and short.price_usd == 0 and len(short.left_out) == 1


def test_pictures_that_cannot_have_a_final_leave_the_budget_to_others(script):
    rejected, good = paid(state="rejected"), paid()
    choice = generation.plan_escalations([rejected, good], budget_usd=price([good]))
    assert choice.chosen == (good,)
    assert "was rejected" in choice.left_out[0].reason


def test_free_finals_need_no_budget(script):
    image = draft(tier="sketch", treatment="locked")
    choice = generation.plan_escalations([image], budget_usd=Decimal(0), tier="large")
    assert choice.chosen == (image,) and choice.price_usd == 0


def test_the_source_says_what_a_product_is_worth(script, monkeypatch):
    images = drafts("red", "blue")
    assert value_of(images[0].catalog_object) == 1
    monkeypatch.setattr(
        MugSource, "value", lambda self, product: {"red": 1, "blue": 2}[product.colour]
    )
    choice = generation.plan_escalations(images, budget_usd=price(images))
    assert choice.chosen == (images[1],)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), True, "much", None])
def test_a_value_that_is_not_one_is_refused(script, monkeypatch, value):
    [image] = drafts("red")
    with pytest.raises(RequestRefused, match="It must be a number from 0 on"):
        generation.plan_escalations([image], budget_usd=Decimal(1), value=lambda product: value)
    monkeypatch.setattr(MugSource, "value", lambda self, product: value)
    with pytest.raises(RegistryError, match=r"MugSource.value\(\)"):
        value_of(image.catalog_object)
    assert source_for(image.catalog_object).label == "testcatalog.mug"


@pytest.mark.parametrize("budget", ["-1", "1000001", "NaN"])
def test_a_budget_that_is_not_one_is_refused(script, budget):
    with pytest.raises(RequestRefused, match="A budget must be between"):
        generation.plan_escalations(drafts("red"), budget_usd=Decimal(budget))


@pytest.mark.story
def test_a_run_never_spends_more_than_its_budget_with_sixteen_at_once(script):
    images = [paid(factories.product(), treatment="locked", state="approved") for _ in range(16)]
    each = price(images)
    # More jobs than the budget pays for: the run itself holds it.
    plan = generation.plan_escalation(images, candidates=1)
    budget = each * 5
    run = runs.start_run(plan, actor=None, budget_usd=budget)
    script.seconds = 0.05
    worker.drain(concurrency=16)
    run.refresh_from_db()
    assert run.paused_reason == "run_budget"
    assert 5 <= ProviderCall.objects.count() < 16
    assert run.spent_usd + run.reserved_usd <= budget
    assert money_is_sound() == run.spent_microusd


def test_sixteen_who_start_one_request_at_once_spend_its_budget_once(script):
    images = drafts(*["red"] * 3)
    each = price(images)

    def spend():
        choice = generation.plan_escalations(images, budget_usd=each * 2, key="spring")
        return (
            None
            if choice.plan is None
            else runs.start_run(choice.plan, actor=None, budget_usd=choice.budget_usd)
        )

    outcomes = at_once(*[spend] * 16)
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert ImageJob.objects.count() == 2
    [run] = Run.objects.all()
    assert run.budget_usd == each * 2 == run.estimate_usd

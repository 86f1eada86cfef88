"""Policies: which pictures need a final, and finals that are started within the day's budget."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nb_catalog import generation
from nb_catalog.checks.settings import check_settings
from nb_catalog.conf import settings as ours
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.generation.escalation_policies import failed_checks, has_rules, start_due
from nb_catalog.imaging.fidelity import Fidelity
from nb_catalog.models import ProductImage, Run
from nb_catalog.publishing import placements, upkeep
from nb_catalog.registry import source_for
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug
from tests.escalation.conftest import final_row, paid

pytestmark = pytest.mark.django_db(transaction=True)

BAD_SIZE = {"size": {"requested": [928, 1152], "actual": [464, 576]}}
BAD_PRODUCT = {"fidelity": Fidelity(score=0.1, reasons=("shape",)).as_dict()}
BAD_TEXT = {"ocr": {}}


@pytest.fixture
def policy(script, settings):
    def policy(**rules):
        settings.NB_CATALOG = {**settings.NB_CATALOG, "ESCALATION": rules}

    return policy


def due():
    return generation.due_escalations(source_for(Mug))


def published(*, slot="hero", size=(200, 250), **fields):
    image = paid(state="approved", size=size, **fields)
    placements.publish(image, slot=slot, actor=None)
    return image


def test_nothing_is_due_and_nothing_started_by_default(script):
    published()
    paid(checks=BAD_SIZE)
    assert not has_rules() and due() == [] and start_due() == []
    upkeep.run_due()
    assert Run.objects.count() == 0


def test_a_slot_needs_a_size(policy):
    policy(SLOTS={"hero": "2K"})
    small, elsewhere = published(), published(slot="gallery")
    large = published(size=(1856, 2304))
    assert due() == [small] and large not in due() and elsewhere not in due()


@pytest.mark.parametrize(
    ("check", "checks"), [("size", BAD_SIZE), ("fidelity", BAD_PRODUCT), ("text", BAD_TEXT)]
)
def test_a_failed_check_needs_a_final(policy, check, checks):
    assert failed_checks(checks) == {check} and failed_checks({}) == set()
    policy(CHECKS=[check])
    bad = paid(checks=checks)
    paid()
    paid(checks=checks, state="rejected")
    old = paid(checks=checks)
    ProductImage.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3))
    assert due() == [bad]
    others = {"size", "fidelity", "text"} - {check}
    policy(CHECKS=sorted(others))
    assert due() == []


def test_a_valuable_product_needs_a_final(policy, monkeypatch):
    monkeypatch.setattr(MugSource, "value", lambda self, product: len(product.colour))
    policy(VALUE_AT_LEAST=6)
    published(asked=None)
    worth = factories.product(colour="purple")
    image = paid(worth, state="approved", size=(200, 250))
    placements.publish(image, slot="gallery", actor=None)
    assert due() == [image]


def test_what_has_or_had_a_final_or_a_job_for_one_is_left_to_people(policy):
    policy(SLOTS={"hero": "2K"})
    rejected, failed = published(), published()
    final_row(rejected, state="rejected")
    [item, *_others] = generation.plan_escalation([failed]).items()
    factories.job(failed.catalog_object, asked=item.spec, state="failed")
    assert due() == []


def test_below_text_the_picture_under_it_is_made_final(policy):
    policy(SLOTS={"social": "2K"})
    below = paid(state="approved", size=(200, 250))
    asked = factories.spec(
        below.catalog_object, provider="typesetter", model="typesetter", base=below.sha256,
        locale="en", prompt="", renderer={"texts": {}},
    )  # fmt: skip
    text = paid(below.catalog_object, asked=asked, parent=below, state="approved", size=(200, 250))
    placements.publish(text, slot="social", actor=None)
    assert due() == [below]


def test_finals_are_started_within_the_budget_of_the_day(policy):
    images = [published() for _ in range(3)]
    each = generation.plan_escalation(images).price_each_usd
    policy(SLOTS={"hero": "2K"}, DAILY_BUDGET_USD=str(each * 2))
    [run] = start_due()
    assert run.jobs.count() == 2 and run.budget_usd == each * 2 and run.actor is None
    # The third is due, and the day's budget is used up.
    assert len(due()) == 1 and start_due() == []
    policy(SLOTS={"hero": "2K"}, DAILY_BUDGET_USD=str(each * 3))
    [second] = start_due()
    assert second.jobs.count() == 1 and due() == []


def test_without_a_budget_nothing_is_started_and_the_upkeep_starts_what_is_due(policy):
    image = published()
    policy(SLOTS={"hero": "2K"})
    assert due() == [image] and start_due() == []
    policy(SLOTS={"hero": "2K"}, DAILY_BUDGET_USD=5)
    upkeep.run_due()
    assert Run.objects.get().jobs.get().object_id == image.object_id
    upkeep.run_due()
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    "value",
    [
        {"CHECKS": ["look"]}, {"CHECKS": "text"}, {"VALUE_AT_LEAST": -1}, {"CANDIDATES": 0},
        {"DAILY_BUDGET_USD": 1.5}, {"SLOTS": {"hero": 2}}, {"TIERS": "premium"}, {"TIER": ""}, [1],
    ],
)  # fmt: skip
def test_wrong_policies_are_errors_of_the_settings(settings, value):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "ESCALATION": value}
    with pytest.raises(InvalidSettings, match="ESCALATION"):
        _ = ours.ESCALATION


def test_what_the_policies_name_must_exist(policy):
    policy(SLOTS={"heroe": "2k"}, TIER="premum")
    found = [each for each in check_settings() if each.id == "nb_catalog.E009"]
    assert [each.msg.partition("]: ")[2] for each in found] == [
        "no registered model has a slot 'heroe'.",
        "there is no size '2k'.",
        "there is no tier 'premum'.",
    ]
    assert "'hero'" in found[0].hint and "2K" in found[1].hint and "'premium'" in found[2].hint
    policy(SLOTS={"hero": "2K"})
    assert check_settings() == []

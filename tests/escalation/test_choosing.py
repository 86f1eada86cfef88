"""Choosing one of several finals: the others are retired, and what belongs to the draft follows."""

import pytest

from nb_catalog import generation, review
from nb_catalog import series as catalog_series
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import ImageJob, ProductImage, ReviewEvent
from nb_catalog.publishing import placements, publish_series, set_alt_texts
from tests import factories
from tests.escalation.conftest import final_row, make, paid
from tests.story.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def candidates(script):
    """A draft, and the three finals of it that were made."""
    image = paid(state=ImageState.APPROVED)
    plan = generation.plan_escalation([image], candidates=3)
    specs = [item.spec for item in plan.items()]
    rows = [paid(image.catalog_object, asked=each, tier="premium", draft=image) for each in specs]
    return image, rows


def states(images):
    keys = [image.pk for image in images]
    found = dict(ProductImage.objects.filter(pk__in=keys).values_list("pk", "state"))
    return [found[key] for key in keys]


def test_choosing_one_retires_the_others_and_says_why(candidates):
    image, (first, second, third) = candidates
    user = factories.staff()
    review.reject(third, actor=user)
    review.approve(second, actor=user)
    assert states([image, first, second, third]) == ["approved", "retired", "approved", "rejected"]
    event = ReviewEvent.objects.get(image=first)
    assert (event.move, event.state, event.actor) == ("pass_over", "retired", user)
    assert event.note == f"Picture {second.pk} was chosen."


def test_an_earlier_choice_is_retired_unless_it_is_published(candidates):
    image, (first, second, third) = candidates
    review.approve(first, actor=None)
    ProductImage.objects.filter(pk__in=[second.pk, third.pk]).update(state="pending")
    review.approve(second, actor=None)
    assert states([first, second]) == ["retired", "approved"]
    second.refresh_from_db()
    placements.publish(second, slot="hero", actor=None)
    third.refresh_from_db()
    ProductImage.objects.filter(pk=third.pk).update(state="pending")
    review.approve(third, actor=None)
    assert states([second, third]) == ["approved", "approved"]


def test_two_people_who_choose_at_once_both_get_an_answer(candidates):
    image, (first, second, _third) = candidates
    outcomes = at_once(
        *[lambda each=each: review.approve(each, actor=None) for each in (first, second)]
    )
    errors = [each for each in outcomes if isinstance(each, Exception)]
    assert all(isinstance(error, InvalidTransition) for error in errors)
    assert states([first, second]).count("approved") == 1


def test_the_others_can_be_brought_back(candidates):
    _image, (first, second, _third) = candidates
    review.approve(second, actor=None)
    review.restore(ProductImage.objects.get(pk=first.pk), actor=None)
    assert states([first, second]) == ["approved", "approved"]


def test_the_finals_of_another_draft_stay(script):
    finals = [final_row(paid(state=ImageState.APPROVED)) for _ in range(2)]
    review.approve(finals[0], actor=None)
    assert states(finals) == ["approved", "pending"]


def test_alternative_texts_follow_where_the_final_has_none(candidates):
    image, (first, *_others) = candidates
    user = factories.staff()
    set_alt_texts(image, {"en": "A blue mug", "de": "Ein blauer Becher"}, actor=user)
    set_alt_texts(first, {"en": "Its own"}, actor=user)
    review.approve(first, actor=user)
    assert dict(first.alts.values_list("locale", "text")) == {
        "en": "Its own",
        "de": "Ein blauer Becher",
    }
    assert first.alts.get(locale="de").changed_by == user


def test_a_draft_with_a_final_is_not_planned_anew(candidates):
    image, (first, *_others) = candidates
    review.approve(first, actor=None)
    review.retire(image, actor=None)
    options = {"scenes": [factories.scene()], "tier": "draft", "treatment": "painted"}
    plan = generation.plan_backgrounds([image.catalog_object], **options)
    [item] = plan.items()
    # As if the draft had been planned like that.
    ProductImage.objects.filter(pk=image.pk).update(fingerprint=item.fingerprint)
    [item] = plan.items()
    assert item.status == "present" and item.spec.variant == 1
    review.retire(first, actor=None)
    [item] = plan.items()
    assert item.status == "missing" and item.spec.variant == 2


def test_the_final_of_a_member_is_its_picture_in_the_series(script):
    mugs = [factories.product(photo=factories.photo_bytes((1600, 2000))) for _ in range(2)]
    series = factories.series(*mugs, tier="sketch", treatment="locked")
    images = make(generation.plan_series(series)).images
    images.sort(key=lambda image: int(image.object_id))
    for image in images:
        review.approve(image, actor=None)
    plan = generation.plan_escalation(images[:1], tier="large")
    [final] = make(plan).images
    assert final.series == series.key and final.checks["product"] == pytest.approx(
        [2 * side for side in images[0].checks["product"]], abs=3
    )

    def shown():
        return [each.image.pk for each in generation.member_pictures(series)]

    assert shown() == [image.pk for image in images]
    review.approve(final, actor=None)
    review.retire(images[0], actor=None)
    assert shown() == [final.pk, images[1].pk]
    assert [each.is_current for each in generation.member_pictures(series)] == [True, True]
    assert publish_series(series, actor=None).events.count() == 2
    assert final.placements.get().slot == "hero"
    # Another look: the final is out of date, as its draft would be.
    newer = catalog_series.with_changes(series, seed_number=7)
    assert [each.status for each in generation.member_pictures(newer)] == ["stale", "stale"]


def test_sixteen_requests_at_once_make_one_run(script):
    image = paid()
    before = ImageJob.objects.count()
    outcomes = at_once(*[lambda: review.escalate(image, candidates=1, actor=None)] * 16)
    refused = [each for each in outcomes if isinstance(each, RequestRefused)]
    assert len(refused) == 15 and all("is being made" in str(each) for each in refused)
    assert ImageJob.objects.count() == before + 1


def test_the_same_key_returns_the_run_it_has_started(script):
    image = paid()
    first = review.escalate(image, actor=None, key="mine")
    assert review.escalate(image, actor=None, key="mine") == first
    assert first.jobs.count() == 2

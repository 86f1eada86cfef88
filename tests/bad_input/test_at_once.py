"""Two people, one moment: threads with connections of their own, on every database."""

from functools import partial
from time import sleep

import pytest

from nb_catalog import generation, review
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.generation import runs
from nb_catalog.models import (
    ImageJob,
    Placement,
    PlacementEvent,
    ProductImage,
    ReviewEvent,
    Run,
)
from nb_catalog.publishing import placements, places
from tests import factories
from tests.bad_input.conftest import at_once
from tests.catalog.models import Mug

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.story]

ROUNDS = range(4)


@pytest.mark.parametrize("round_", ROUNDS)
@pytest.mark.parametrize("decisions", [("approve", "reject"), ("approve", "approve")], ids="-".join)
def test_of_two_who_decide_at_once_exactly_one_wins(decisions, round_):
    image = factories.image()
    people = [factories.staff(), factories.staff()]
    acts = [
        partial(getattr(review, decision), ProductImage.objects.get(pk=image.pk), actor=person)
        for decision, person in zip(decisions, people, strict=True)
    ]
    outcomes = at_once(*acts)
    assert sorted(type(each).__name__ for each in outcomes) == ["InvalidTransition", "NoneType"]
    winner = outcomes.index(None)
    refusal = next(each for each in outcomes if each is not None)
    assert str(image.pk) in str(refusal)
    assert f"{people[winner].username} decided on" in str(refusal)
    event = ReviewEvent.objects.get(image=image)
    assert (event.move, event.actor) == (decisions[winner], people[winner])
    image.refresh_from_db()
    assert image.state == event.state


@pytest.mark.parametrize("round_", ROUNDS)
def test_two_who_publish_to_one_place_leave_one_picture_and_an_unbroken_record(round_):
    product = factories.product()
    images = [factories.image(product, state=ImageState.APPROVED) for _ in range(2)]
    outcomes = at_once(
        *(partial(placements.publish, image, slot="hero", actor=None) for image in images)
    )
    published = [each for each in outcomes if isinstance(each, Placement)]
    assert published and all(isinstance(each, Placement | InvalidTransition) for each in outcomes)
    standing = Placement.objects.get()
    record = list(PlacementEvent.objects.values_list("image_before_id", "image_after_id"))
    assert len(record) == len(published)
    assert record[-1][1] == standing.image_id
    assert [before for before, _ in record] == [None, *(after for _, after in record[:-1])]


@pytest.mark.parametrize("round_", ROUNDS)
def test_who_publishes_what_another_rolls_back_to_does_not_wait_for_ever(round_, monkeypatch):
    product = factories.product()
    first, second = (factories.image(product, state=ImageState.APPROVED) for _ in range(2))
    for image in (first, second):
        placements.publish(image, slot="hero", actor=None)
    hold = places.lock_images

    def slowly(keys):
        sleep(0.1)
        states = hold(keys)
        sleep(0.1)
        return states

    monkeypatch.setattr(places, "lock_images", slowly)
    outcomes = at_once(
        partial(placements.publish, first, slot="hero", actor=None),
        partial(placements.roll_back, product, slot="hero", actor=None),
    )
    assert all(isinstance(each, Placement) for each in outcomes), outcomes


@pytest.mark.parametrize("round_", ROUNDS)
def test_two_who_roll_back_at_once_go_one_step_each(round_):
    product = factories.product()
    images = [factories.image(product, state=ImageState.APPROVED) for _ in range(3)]
    for image in images:
        placements.publish(image, slot="hero", actor=None)
    back = partial(placements.roll_back, product, slot="hero", actor=None)
    at_once(back, back)
    assert Placement.objects.get().image == images[0]
    record = list(PlacementEvent.objects.values_list("image_before_id", "image_after_id"))
    assert [before for before, _ in record] == [None, *(after for _, after in record[:-1])]


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_picture_that_is_retired_while_it_is_published_is_one_or_the_other(round_):
    image = factories.published().image
    Placement.objects.all().delete()
    outcomes = at_once(
        partial(placements.publish, ProductImage.objects.get(), slot="hero", actor=None),
        partial(review.retire, ProductImage.objects.get(), actor=None),
    )
    assert sum(isinstance(each, RequestRefused | InvalidTransition) for each in outcomes) == 1
    image.refresh_from_db()
    assert Placement.objects.exists() == (image.state == ImageState.APPROVED)


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_plan_that_is_started_twice_at_once_is_one_run(round_):
    mugs = [factories.product() for _ in range(3)]
    plan = generation.plan_backgrounds(mugs, scenes=[factories.scene()], variants=2)
    outcomes = at_once(*[partial(runs.start_run, plan)] * 3)
    assert outcomes == [Run.objects.get()] * 3
    assert ImageJob.objects.count() == 6


@pytest.mark.parametrize("round_", ROUNDS)
def test_two_plans_for_the_same_pictures_make_each_picture_once(round_, monkeypatch):
    monkeypatch.setattr(runs, "BLOCK", 5)
    keys = [factories.product().pk for _ in range(40)]
    scene = factories.scene()
    mugs = Mug.objects.filter(pk__in=keys)
    # In opposite orders, which is what makes two writers wait for each other for ever.
    one, other = (
        generation.plan_backgrounds(mugs.order_by(job), scenes=[scene], variants=3)
        for job in ("pk", "-pk")
    )
    outcomes = at_once(partial(runs.start_run, one), partial(runs.start_run, other))
    assert all(isinstance(each, Run) for each in outcomes)
    assert ImageJob.objects.count() == 120
    assert len(set(ImageJob.objects.values_list("fingerprint", flat=True))) == 120

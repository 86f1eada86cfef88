"""Decisions under a key: carried out once, refused once, and undone to what each picture was before."""

from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied

from nb_catalog import review
from nb_catalog.core.states import IMAGE_TRANSITIONS, ImageState, image_moves
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import ObjectGone
from nb_catalog.models import Placement, ProductImage, ReviewDecision, ReviewEvent
from nb_catalog.publishing import placements
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return factories.staff(Permission.REVIEW, Permission.PUBLISH, name="anna")


def decide(image, verb, *, actor, key=None, **options):
    decision = review.Decision(key=key or uuid4(), image=image.pk, verb=verb, **options)
    return review.decide(decision, actor=actor)


def state_of(image):
    return ProductImage.objects.get(pk=image.pk).state


def moves_of(image):
    return list(image.review_events.values_list("move", flat=True))


def test_a_decision_that_is_sent_again_is_carried_out_once(anna):
    image, key = factories.image(), uuid4()
    first = decide(image, "approve", actor=anna, key=key, note="Fine")
    review.reconsider(image, actor=anna)
    again = decide(image, "approve", actor=anna, key=key, note="Fine")
    assert first.pk == again.pk and again.outcome == "done"
    assert state_of(image) == ImageState.PENDING, "it would have been approved once more"
    assert moves_of(image) == ["approve", "reconsider"]
    event = ReviewEvent.objects.first()
    assert (event.actor, event.note) == (anna, "Fine")


def test_a_refusal_that_is_sent_again_stays_a_refusal(anna):
    image, key = factories.image(), uuid4()
    review.reject(image, actor=factories.superuser(name="ben"))
    refused = decide(image, "approve", actor=anna, key=key)
    assert refused.outcome == "refused" and "ben decided on" in refused.problem
    review.reconsider(image, actor=None)
    assert decide(image, "approve", actor=anna, key=key).outcome == "refused"
    assert state_of(image) == ImageState.PENDING


def test_keys_of_two_people_do_not_meet(anna):
    key, ben = uuid4(), factories.superuser()
    images = [factories.image(), factories.image()]
    decide(images[0], "approve", actor=anna, key=key)
    decide(images[1], "approve", actor=ben, key=key)
    assert [state_of(image) for image in images] == ["approved"] * 2


def test_what_somebody_else_has_approved_meanwhile_is_not_rejected(anna):
    image = factories.image()
    review.approve(image, actor=factories.superuser(name="ben"))
    row = decide(image, "reject", actor=anna, seen=ImageState.PENDING)
    assert row.outcome == "refused" and "ben decided" in row.problem
    assert state_of(image) == ImageState.APPROVED
    assert decide(image, "reject", actor=anna, seen=ImageState.APPROVED).outcome == "done"
    assert moves_of(image) == ["approve", "reconsider", "reject"]


def test_what_somebody_else_has_decided_meanwhile_is_not_published_over_it(anna):
    image, ben = factories.image(), factories.superuser(name="ben")
    review.approve(image, actor=ben)
    row = decide(image, "publish", actor=anna, slot="hero", seen=ImageState.PENDING)
    assert row.outcome == "refused" and "ben decided" in row.problem
    assert row.problem.startswith(f"Cannot publish picture {image.pk}: it is approved now.")
    assert not Placement.objects.exists()
    assert decide(image, "publish", actor=anna, slot="hero", seen="approved").outcome == "done"


@pytest.mark.parametrize("name", ["ben", ""], ids=["a-person", "no-person"])
def test_what_somebody_else_has_decided_alike_since_is_left_so(anna, name):
    image, ben = factories.image(), factories.superuser(name=name) if name else None
    row = decide(image, "approve", actor=anna)
    review.reconsider(image, actor=anna)
    image.refresh_from_db()
    review.approve(image, actor=ben)
    [problem] = review.undo([row], actor=anna).refused
    assert f"Picture {image.pk} is approved now, and was left so." in problem
    assert state_of(image) == ImageState.APPROVED


def test_what_somebody_else_has_published_again_since_is_left_so(anna):
    mug, ben = factories.product(), factories.superuser()
    image = factories.image(mug, state=ImageState.APPROVED)
    row = decide(image, "publish", actor=anna, slot="hero")
    placements.withdraw(Placement.objects.get(), actor=ben)
    placements.publish(image, slot="hero", actor=ben)
    assert "Somebody else has published it there" in review.undo([row], actor=anna).refused[0]
    assert Placement.objects.get().image == image


def test_a_decision_about_several_is_undone_to_the_state_of_each(anna):
    states = ("pending", "approved", "pending")
    images, batch = [factories.image(state=state) for state in states], uuid4()
    for image in images:
        decide(image, "reject", actor=anna, seen=image.state, batch=batch)
    assert {state_of(image) for image in images} == {"rejected"}
    result = review.undo(ReviewDecision.objects.filter(batch=batch), actor=anna)
    assert len(result.undone) == 3 and not result.refused
    assert [state_of(image) for image in images] == list(states)
    assert all(event.actor == anna for event in ReviewEvent.objects.all())
    # Undone twice, it is undone once.
    events = ReviewEvent.objects.count()
    assert len(review.undo(ReviewDecision.objects.all(), actor=anna).undone) == 3
    assert ReviewEvent.objects.count() == events


def test_what_was_decided_since_is_left_so_and_the_others_are_undone(anna):
    images, batch = [factories.image() for _ in range(2)], uuid4()
    for image in images:
        decide(image, "reject", actor=anna, batch=batch)
    ben = factories.superuser(name="ben")
    images[0].refresh_from_db()
    review.reconsider(images[0], actor=ben)
    review.approve(images[0], actor=ben)
    result = review.undo(ReviewDecision.objects.filter(batch=batch), actor=anna)
    [problem] = result.refused
    assert f"Picture {images[0].pk} is approved now" in problem and "ben decided on" in problem
    assert [state_of(image) for image in images] == ["approved", "pending"]


def test_the_finals_that_a_choice_retired_come_back(anna):
    mug = factories.product()
    draft = factories.image(mug, state=ImageState.APPROVED)
    chosen, other, older = (
        factories.image(mug, draft=draft, state=state)
        for state in ("pending", "pending", "approved")
    )
    row = decide(chosen, "approve", actor=anna)
    assert [state_of(each) for each in (chosen, other, older)] == ["approved", "retired", "retired"]
    assert review.undo([row], actor=anna).refused == ()
    assert [state_of(each) for each in (chosen, other, older)] == ["pending", "pending", "approved"]


def test_publishing_is_undone_with_the_approval_that_it_gave(anna):
    mug = factories.product()
    before = factories.published(mug).image
    image = factories.image(mug)
    row = decide(image, "publish", actor=anna, slot="hero")
    assert row.outcome == "done" and Placement.objects.get().image == image
    assert review.undo([row], actor=anna).refused == ()
    assert Placement.objects.get().image == before
    assert state_of(image) == ImageState.PENDING


def test_a_picture_that_was_published_there_already_is_left_there(anna):
    image = factories.published().image
    row = decide(image, "publish", actor=anna, slot="hero")
    assert row.outcome == "done" and row.place is None
    review.undo([row], actor=anna)
    assert Placement.objects.get().image == image


def test_nobody_elses_publication_is_undone(anna):
    mug = factories.product()
    image = factories.image(mug)
    row = decide(image, "publish", actor=anna, slot="hero")
    later = factories.published(mug).image
    assert "Another picture is published there now" in review.undo([row], actor=anna).refused[0]
    assert Placement.objects.get().image == later
    assert not ReviewDecision.objects.exclude(undone_at=None).exists()


def test_what_cannot_be_published_stays_approved_and_can_be_undone(anna):
    image = factories.image()
    row = decide(image, "publish", actor=anna, slot="hiro")
    assert row.outcome == "partly" and "Did you mean" in row.problem
    assert state_of(image) == ImageState.APPROVED
    review.undo([row], actor=anna)
    assert state_of(image) == ImageState.PENDING


def test_a_published_picture_stays_approved_when_its_approval_is_undone(anna):
    image = factories.image()
    row = decide(image, "approve", actor=anna)
    placements.publish(image, slot="hero", actor=anna)
    assert "is published (hero)" in review.undo([row], actor=anna).refused[0]
    assert state_of(image) == ImageState.APPROVED


def test_a_doubtful_picture_is_not_approved_together_with_others(anna):
    image = factories.image(checks={"interim": True})
    assert decide(image, "approve", actor=anna, batch=uuid4()).outcome == "refused"
    assert decide(image, "publish", actor=anna, batch=uuid4(), slot="hero").outcome == "refused"
    assert decide(image, "reject", actor=anna, batch=uuid4()).outcome == "done"
    approved = factories.image(checks={"interim": True}, state=ImageState.APPROVED)
    assert decide(approved, "publish", actor=anna, batch=uuid4(), slot="hero").outcome == "done"


def test_who_may_not_decide_does_not_and_undoes_nothing(anna):
    image, viewer = factories.image(), factories.staff(Permission.PUBLISH)
    with pytest.raises(PermissionDenied):
        decide(image, "approve", actor=viewer)
    row = decide(image, "approve", actor=anna)
    with pytest.raises(PermissionDenied):
        review.undo([row], actor=viewer)
    assert state_of(image) == ImageState.APPROVED
    pending = factories.image()
    assert decide(pending, "publish", actor=viewer, slot="hero").outcome == "refused"
    assert state_of(pending) == ImageState.PENDING


def test_a_picture_that_does_not_exist_is_no_decision(anna):
    with pytest.raises(ObjectGone):
        review.decide(review.Decision(key=uuid4(), image=10**9, verb="approve"), actor=anna)


@pytest.mark.parametrize("source", ImageState.values)
@pytest.mark.parametrize("target", ImageState.values)
def test_the_way_between_two_states_is_one_of_moves_that_exist(source, target):
    state = source
    for move in image_moves(source, target):
        assert state in IMAGE_TRANSITIONS[move].sources
        state = IMAGE_TRANSITIONS[move].target
    assert state == target


def test_to_bring_a_picture_back_takes_the_fewest_moves():
    assert image_moves("rejected", "approved") == ("reconsider", "approve")
    assert image_moves("approved", "rejected") == ("reconsider", "reject")
    assert image_moves("retired", "pending") == ("restore", "reconsider")

"""Decisions: the table of moves, one winner, an event with each."""

import pytest
from django.utils.formats import date_format
from django.utils.timezone import template_localtime

from nb_catalog import review
from nb_catalog.core.states import IMAGE_TRANSITIONS, ImageState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import ProductImage, ReviewEvent
from nb_catalog.publishing import placements
from tests import factories

pytestmark = pytest.mark.django_db

MOVES = [
    pytest.param(move, state, id=f"{move} {state}")
    for move in IMAGE_TRANSITIONS
    for state in ImageState.values
]


@pytest.mark.parametrize(("move", "state"), MOVES)
def test_a_move_is_made_from_the_states_that_the_table_names_and_from_no_other(move, state):
    image = factories.image(state=state)
    editor = factories.staff()
    if state in IMAGE_TRANSITIONS[move].sources:
        getattr(review, move)(image, actor=editor, note="Because.")
        event = ReviewEvent.objects.get()
        assert (event.image, event.actor, event.note) == (image, editor, "Because.")
        assert (event.move, event.state) == (move, IMAGE_TRANSITIONS[move].target)
        expected = IMAGE_TRANSITIONS[move].target
    else:
        with pytest.raises(
            InvalidTransition, match=f"Cannot {move.replace('_', ' ')} picture {image.pk}: it is "
        ):
            getattr(review, move)(image, actor=editor)
        assert not ReviewEvent.objects.exists()
        expected = state
    assert image.state == expected
    image.refresh_from_db()
    assert image.state == expected


def test_a_second_decision_loses_and_is_told_what_became_of_the_picture():
    image = factories.image()
    stale = ProductImage.objects.get(pk=image.pk)
    review.approve(image, actor=None)
    with pytest.raises(InvalidTransition, match="it is approved now"):
        review.reject(stale, actor=None)
    assert stale.state == ImageState.APPROVED
    assert ReviewEvent.objects.count() == 1


def test_a_decision_and_its_event_commit_together(monkeypatch):
    image = factories.image()

    def broken(**columns):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(ReviewEvent.objects, "create", broken)
    with pytest.raises(RuntimeError):
        review.approve(image, actor=None)
    image.refresh_from_db()
    assert image.state == ImageState.PENDING


def test_a_published_picture_is_not_retired_and_the_slots_are_named():
    image = factories.published(slot="hero").image
    placements.publish(image, slot="social", actor=None)
    with pytest.raises(RequestRefused, match=r"published \(hero, social\)"):
        review.retire(image, actor=None)
    image.refresh_from_db()
    assert image.state == ImageState.APPROVED
    assert not ReviewEvent.objects.exists()


def test_a_withdrawn_picture_is_retired():
    placement = factories.published()
    placements.withdraw(placement, actor=None)
    review.retire(placement.image, actor=None)
    assert placement.image.state == ImageState.RETIRED


def test_who_comes_second_is_told_who_was_first_and_when():
    image, anna = factories.image(), factories.staff(name="anna")
    review.reject(image, actor=anna)
    at = date_format(template_localtime(ReviewEvent.objects.get().at), "DATETIME_FORMAT")
    with pytest.raises(InvalidTransition) as refusal:
        review.approve(image, actor=factories.superuser())
    assert str(refusal.value).endswith(f"now. anna decided on {at.rstrip('.')}.")


def test_of_many_each_is_decided_on_its_own():
    images = [factories.image(), factories.image(state=ImageState.REJECTED), factories.image()]
    tally = review.approve_all(images, actor=None)
    assert tally.decided == 2
    assert tally.refused == (f"Cannot approve picture {images[1].pk}: it is rejected now.",)
    assert [image.state for image in images] == ["approved", "rejected", "approved"]


def test_surroundings_cannot_be_approved():
    backdrop = factories.image(kind="backdrop")
    with pytest.raises(RequestRefused, match="a background without"):
        review.approve(backdrop, actor=None)
    assert not ReviewEvent.objects.exists()

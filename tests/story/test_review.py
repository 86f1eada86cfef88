"""Two reviewers at the same pictures at the same moment, on every database."""

from uuid import uuid4

import pytest

from nb_catalog import review
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductImage, ReviewDecision, ReviewEvent
from nb_catalog.worker.db_writer import with_db_retry
from tests import factories
from tests.story.test_races import at_once

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]


def reviewers(number):
    names = ("anna", "ben", "carla", "dora")
    return [factories.staff(Permission.REVIEW, name=name) for name in names[:number]]


def decide_once(image, verb, *, actor, key=None):
    decision = review.Decision(key=key or uuid4(), image=image.pk, verb=verb)
    return review.decide(decision, actor=actor)


def decide(image, verb, **options):
    return with_db_retry(lambda: decide_once(image, verb, **options))


def test_of_two_reviewers_one_wins_and_the_other_is_told(db):
    anna, ben = reviewers(2)
    for _ in range(5):
        image = factories.image()
        # Not tried again: nobody may be the victim of a deadlock.
        rows = at_once(
            lambda image=image: decide_once(image, "approve", actor=anna),
            lambda image=image: decide_once(image, "reject", actor=ben),
        )
        assert sorted(row.outcome for row in rows) == ["done", "refused"], rows
        winner, loser = sorted(rows, key=lambda row: row.outcome)
        assert f"{winner.actor.username} decided on" in loser.problem
        event = ReviewEvent.objects.get(image=image)
        assert event.actor == winner.actor
        image.refresh_from_db()
        assert image.state == event.state


def test_a_decision_that_is_sent_several_times_at_once_is_carried_out_once(db):
    [anna] = reviewers(1)
    for _ in range(3):
        image, key = factories.image(), uuid4()
        rows = at_once(*[lambda i=image, k=key: decide(i, "approve", actor=anna, key=k)] * 4)
        assert {row.pk for row in rows} == {ReviewDecision.objects.get(key=key).pk}
        assert ReviewEvent.objects.filter(image=image).count() == 1


def test_a_decision_that_is_undone_several_times_at_once_is_undone_once(db):
    [anna] = reviewers(1)
    image = factories.image()
    row = decide(image, "approve", actor=anna)
    at_once(*[lambda: with_db_retry(lambda: review.undo([row], actor=anna))] * 3)
    assert ProductImage.objects.get(pk=image.pk).state == "pending"
    assert ReviewEvent.objects.filter(image=image).count() == 2


def test_reviewers_who_ask_at_once_get_different_pictures(db):
    people = reviewers(4)
    mug = factories.product(photo=False)
    images = {factories.image(mug).pk for _ in range(12)}
    rows = ProductImage.objects.filter(state="pending").order_by("pk")

    def claim(person):
        return with_db_retry(lambda: review.claim_next(rows.all(), reviewer=person, count=3))

    found = at_once(*[lambda person=person: claim(person) for person in people])
    keys = [{image.pk for image in mine} for mine in found]
    assert sum(map(len, keys)) == len(set().union(*keys)), "somebody's is somebody else's too"
    assert set().union(*keys) <= images
    # What the race has left out is found by asking again.
    for person in people:
        claim(person)
    assert all(len({image.pk for image in claim(person)}) == 3 for person in people)

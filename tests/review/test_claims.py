"""Claims: one reviewer's until they end, and no one else's."""

from datetime import timedelta

import pytest

from nb_catalog import review
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductImage, ReviewClaim, ReviewDecision, ReviewEvent
from nb_catalog.models.db.clock import database_now
from nb_catalog.operations.pruning import prune
from tests import factories
from tests.review.test_decisions import decide

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewers():
    return [factories.staff(Permission.REVIEW, name=name) for name in ("anna", "ben")]


def test_a_claim_is_not_taken_from_somebody_else_until_it_ends(reviewers):
    anna, ben = reviewers
    image, free = factories.image(), factories.image()
    assert review.claim([image.pk], reviewer=anna) == {image.pk}
    assert review.claim([image.pk, free.pk], reviewer=ben) == {free.pk}
    assert ReviewClaim.objects.get(image=image).reviewer == anna
    ReviewClaim.objects.filter(image=image).update(until=database_now())
    assert review.renew_claims(reviewer=anna) == set(), "it has ended"
    assert review.claim([image.pk], reviewer=ben) == {image.pk}
    assert review.claim([image.pk], reviewer=anna) == set()


def test_what_somebody_else_has_claimed_meanwhile_is_not_renewed(reviewers):
    anna, ben = reviewers
    taken, free, other = (factories.image().pk for _ in range(3))
    review.claim([taken, free, other], reviewer=anna)
    ended = database_now()
    ReviewClaim.objects.update(until=ended)
    review.claim([taken], reviewer=ben)
    assert review.renew_claims([taken, free], reviewer=anna) == {free}
    assert ReviewClaim.objects.get(image=taken).reviewer == ben
    renewed = ReviewClaim.objects.filter(until__gt=ended)
    assert {*renewed.values_list("image", flat=True)} == {taken, free}, "the other is not shown"
    review.release_claims(reviewer=anna)
    assert review.renew_claims([free], reviewer=anna) == set(), "it was given back"


def test_claims_of_others_are_neither_released_nor_counted(reviewers):
    anna, ben = reviewers
    image = factories.image()
    review.claim([image.pk], reviewer=anna)
    assert review.release_claims([image.pk], reviewer=ben) == 0
    assert review.renew_claims(reviewer=ben) == set()
    rows = ProductImage.objects.all()
    assert list(review.unclaimed_by_others(rows, reviewer=ben)) == []
    assert list(review.unclaimed_by_others(rows, reviewer=anna)) == [image]


def test_old_decisions_and_claims_are_pruned_and_the_history_stays(reviewers):
    anna = reviewers[0]
    old, new = factories.image(), factories.image()
    for image in (old, new):
        decide(image, "approve", actor=anna)
        review.claim([image.pk], reviewer=anna)
    long_ago = database_now() - timedelta(days=40)
    ReviewDecision.objects.filter(image=old).update(at=long_ago)
    ReviewClaim.objects.filter(image=old).update(until=long_ago)
    prune(days=30, orphans=False, dry_run=True)
    assert ReviewDecision.objects.count() == 2
    prune(days=30, orphans=False)
    assert ReviewDecision.objects.get().image == new
    assert ReviewClaim.objects.get().image == new
    assert ReviewEvent.objects.count() == 2

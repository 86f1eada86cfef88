"""The review page for several people: own queues, comments, saved filters, groups."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nb_catalog import review
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.core.types import Permission
from nb_catalog.models import ReviewClaim, ReviewComment, ReviewDecision, ReviewFilter
from tests import factories
from tests.admin.test_review_page import DECIDE, JSON, REVIEW, pages_of, shown

pytestmark = pytest.mark.django_db

FILTERS = f"{REVIEW}filters/"
CLAIMS = f"{REVIEW}claims/"


def switch_to(client, user):
    client.force_login(user)
    client.user = user
    return client


@pytest.fixture
def reviewers():
    return [factories.staff(Permission.REVIEW, name=name) for name in ("anna", "ben")]


def test_two_reviewers_are_never_shown_the_same_picture_as_theirs(client, reviewers):
    mug = factories.product(photo=False)
    images = {factories.image(mug).pk for _ in range(30)}
    anna, ben = reviewers
    first = shown(switch_to(client, anna), queue="mine")
    second = shown(switch_to(client, ben), queue="mine")
    assert len(first) == 24 and len(second) == 6
    assert {*first} | {*second} == images and not {*first} & {*second}
    # Hers stay hers, and there is nothing left for him but his.
    assert shown(switch_to(client, anna), queue="mine") == first
    assert shown(switch_to(client, ben), queue="mine") == second
    page = client.get(REVIEW).content.decode()
    found = client.get(f"{REVIEW}cards/", {"queue": "mine"}).json()["found"]
    assert found == "6 pictures", "hers are not his to wait for"
    assert page.count("anna is judging it until") == 24 and "ben is judging" not in page
    # What she does not come back to is free after half an hour.
    ReviewClaim.objects.filter(reviewer=anna).update(until=timezone.now() - timedelta(seconds=1))
    assert {*shown(client, queue="mine")} & {*first}


def test_claims_are_renewed_and_given_back(client, reviewers):
    image, other = factories.image(), factories.image()
    client = switch_to(client, reviewers[0])
    shown(client, queue="mine")
    review.release_claims([other.pk], reviewer=reviewers[0])
    soon = timezone.now() + timedelta(minutes=1)
    ReviewClaim.objects.update(until=soon)
    data = {"cards": f"{image.pk},{other.pk},x"}
    assert client.post(CLAIMS, data).json() == {"claimed": [image.pk]}
    assert ReviewClaim.objects.get().until > soon
    assert client.post(CLAIMS, {"release": "1"}).status_code == 302
    assert not ReviewClaim.objects.exists()


def test_a_decision_ends_the_claim(client, reviewers):
    image = factories.image()
    client = switch_to(client, reviewers[0])
    shown(client, queue="mine")
    client.post(DECIDE, {"decision": f"reject:{image.pk}"})
    assert not ReviewClaim.objects.exists()


def test_who_may_not_review_claims_nothing(sign_in):
    factories.image()
    client = sign_in(Permission.PUBLISH)
    assert len(shown(client, queue="mine")) == 1
    assert not ReviewClaim.objects.exists()
    assert client.post(CLAIMS).status_code == 403


def test_an_own_queue_of_any_length_costs_the_same_queries(client, reviewers):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            client.get(REVIEW, {"queue": "mine"})
        return len(captured)

    def add_image():
        review.comment(factories.image(factories.product()), "Fine.", actor=reviewers[1])

    client = switch_to(client, reviewers[0])
    queries()
    add_image()
    few = queries()
    for _ in range(8):
        add_image()
    assert queries() == few


@pytest.mark.parametrize("by", ["run", "series"])
def test_a_queue_by_run_or_series_is_walked_without_repeating(root, by):
    runs = [factories.run(title=f"Run of {name}") for name in ("mugs", "jugs")]
    mug = factories.product(photo=False)
    keys = []
    for number in range(50):
        run = runs[number % 2]
        if by == "run":
            job = factories.job(mug, of=run, state=JobState.SUCCEEDED) if number % 3 else None
            keys.append(factories.image(mug, job=job).pk)
        else:
            keys.append(factories.image(mug, series=("autumn", None)[number % 2]).pk)
    pages = pages_of(root, by=by)
    assert [len(page) for page in pages] == [24, 24, 2]
    assert sorted(sum(pages, [])) == keys
    text = root.get(REVIEW, {"by": by}).content.decode()
    assert ("No run" if by == "run" else "No series") in text
    last = root.get(REVIEW, {"by": by, "after": pages[1][-1]}).content.decode()
    assert (f"#{runs[1].pk} Run of jugs" if by == "run" else "autumn") in last


def test_the_pictures_of_a_series_are_found(root):
    factories.series(factories.product())
    image = factories.image(series="autumn")
    factories.image()
    assert shown(root, series="autumn") == [image.pk]


def test_a_comment_is_shown_with_its_author_and_written_once(root):
    image, key = factories.image(), uuid4()
    sent = {"id": str(key), "image": image.pk, "verb": "comment", "note": "Is the handle <b>?"}
    for _ in range(2):
        answer = root.post(
            f"{REVIEW}send/", {"sent": [sent]}, content_type="application/json"
        ).json()
        assert answer["results"][0]["outcome"] == "done"
    root.post(DECIDE, {"decision": f"comment:{image.pk}", f"comment-{image.pk}": "Yes."})
    assert list(ReviewComment.objects.values_list("text", "author")) == [
        ("Is the handle <b>?", root.user.pk),
        ("Yes.", root.user.pk),
    ]
    page = root.get(REVIEW).content.decode()
    assert "Is the handle &lt;b&gt;?" in page and root.user.username in page


def test_an_empty_comment_is_not_written_and_viewers_write_none(root, sign_in):
    image = factories.image()
    answer = root.post(DECIDE, {"decision": f"comment:{image.pk}"}, follow=True)
    assert "Write a comment first." in answer.content.decode()
    client = sign_in()
    data = {"decision": f"comment:{image.pk}", f"comment-{image.pk}": "x"}
    assert client.post(DECIDE, data).status_code == 403
    assert not ReviewComment.objects.exists()


def test_filters_are_saved_under_a_name_and_shared(client, reviewers):
    anna, ben = reviewers
    factories.scene("oak")
    client = switch_to(client, anna)
    for scene, shared in (("oak", {}), ("oak", {"is_shared": "on"})):
        data = {"name": "Oak", "back": f"scene={scene}&state=pending&after=7&x=1", **shared}
        answer = client.post(FILTERS, data)
        assert answer.url == f"{REVIEW}?state=pending&scene=oak"
    saved = ReviewFilter.objects.get()
    assert (saved.owner, saved.query, saved.is_shared) == (anna, "state=pending&scene=oak", True)
    page = switch_to(client, ben).get(REVIEW).content.decode()
    assert 'href="?state=pending&amp;scene=oak"' in page
    client.post(FILTERS, {"delete": saved.pk})
    assert ReviewFilter.objects.exists(), "it is not his"
    switch_to(client, anna).post(FILTERS, {"delete": saved.pk})
    assert not ReviewFilter.objects.exists()


def test_a_filter_that_is_not_shared_is_seen_by_its_owner_alone(client, reviewers):
    anna, ben = reviewers
    review.save_filter("Mine", query="state=rejected", is_shared=False, user=anna)
    assert "state=rejected" in switch_to(client, anna).get(REVIEW).content.decode()
    assert "state=rejected" not in switch_to(client, ben).get(REVIEW).content.decode()


def test_a_filter_has_a_name_that_databases_store(root):
    root.post(FILTERS, {"name": "Oak\0 only", "back": "state=all"})
    assert ReviewFilter.objects.get().name == "Oak only"


def test_a_filter_needs_a_name(root):
    page = root.post(FILTERS, {"name": " ", "back": "state=all"}, follow=True)
    assert "Give the filter a name." in page.content.decode()
    assert not ReviewFilter.objects.exists()


def test_what_somebody_else_has_decided_in_this_browser_is_not_carried_out(root, settings):
    image = factories.image()
    settings.USE_THOUSAND_SEPARATOR = True
    ben = get_user_model().objects.create_superuser("ben", pk=54_321)
    sent = {"id": str(uuid4()), "image": image.pk, "verb": "approve"}

    def send(user):
        body = {"user": str(user.pk), "sent": [sent]}
        return root.post(f"{REVIEW}send/", body, content_type="application/json").status_code

    assert send(ben) == 403 and not ReviewDecision.objects.exists()
    assert send(root.user) == 200 and ReviewDecision.objects.get().actor == root.user
    page = switch_to(root, ben).get(REVIEW).content.decode()
    assert 'data-user="54321"' in page


def test_what_is_sent_is_checked_entry_by_entry(root):
    image = factories.image(state=ImageState.PENDING)
    sent = [
        {"id": "x", "image": image.pk, "verb": "approve"},
        {"id": str(uuid4()), "image": 10**9, "verb": "approve"},
        {"id": str(uuid4()), "verb": "approve"},
        {"id": str(uuid4()), "image": image.pk, "verb": "approve"},
    ]
    answer = root.post(f"{REVIEW}send/", {"sent": sent}, content_type="application/json")
    outcomes = [each["outcome"] for each in answer.json()["results"]]
    assert outcomes == ["refused", "refused", "refused", "done"]
    for body in ("{", "[]", '{"sent": [1]}', '{"sent": 1}'):
        answer = root.post(f"{REVIEW}send/", body, content_type="application/json")
        assert answer.status_code == 400
    cards = root.get(f"{REVIEW}cards/", {"cards": f"{image.pk},x"}, headers=JSON).json()
    assert list(cards["cards"]) == [str(image.pk)] and "0 pictures" in cards["found"]

"""Decisions about several pictures at once, repeated and undone."""

from uuid import uuid4

import pytest

from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement, ProductImage, Publication, Rendition, ReviewEvent
from nb_catalog.publishing import (
    due_publications,
    placements,
    rendition_requests,
    renditions,
    work_on_publications,
)
from tests import factories


@pytest.fixture
def api(api_as):
    return api_as(Permission.REVIEW, Permission.PUBLISH)


def body_of(*decisions, **fields):
    wanted = [
        {"key": str(uuid4()), "image": image.pk, "decision": verb, **more}
        for image, verb, more in decisions
    ]
    return {"decisions": wanted, **fields}


def states():
    return list(ProductImage.objects.order_by("pk").values_list("state", flat=True))


def test_decisions_are_carried_out_once_and_undone_together(api):
    pending, approved, third = (
        factories.image(state=state) for state in ("pending", "approved", "pending")
    )
    body = body_of(
        (pending, "reject", {"note": "Too dark"}),
        (approved, "reject", {"seen": "approved"}),
        (third, "publish", {"slot": "hero"}),
        batch=str(uuid4()),
    )
    for _ in range(2):
        answer = api.post("decisions/", body)
        assert answer.status_code == 200
        assert [each["outcome"] for each in answer.json()["results"]] == ["done"] * 3
        assert states() == ["rejected", "rejected", "approved"]
        assert ReviewEvent.objects.count() == 4
    assert answer.json()["results"][0]["before"] == {str(pending.pk): "pending"}
    assert Placement.objects.get().image == third
    answer = api.post("decisions/undo/", {"batch": body["batch"]})
    assert len(answer.json()["undone"]) == 3 and answer.json()["refused"] == []
    assert states() == ["pending", "approved", "pending"]
    assert not Placement.objects.exists()


def test_one_that_is_refused_does_not_stop_the_others(api):
    rejected, pending = factories.image(state=ImageState.REJECTED), factories.image()
    body = body_of((rejected, "approve", {}), (pending, "approve", {}))
    first, second = api.post("decisions/", body).json()["results"]
    assert (first["outcome"], first["code"]) == ("refused", "illegal_move")
    assert second["outcome"] == "done"
    answer = api.post("decisions/undo/", {"keys": [body["decisions"][1]["key"]]})
    assert answer.json()["undone"] == [body["decisions"][1]["key"]]
    assert states() == ["rejected", "pending"]


def test_decisions_of_others_are_not_undone(api, api_as):
    body = body_of((factories.image(), "approve", {}), batch=str(uuid4()))
    api_as(Permission.REVIEW).post("decisions/", body)
    assert api.post("decisions/undo/", {"batch": body["batch"]}).json()["undone"] == []
    assert states() == ["approved"]


def test_each_decision_needs_its_permission(api_as):
    image = factories.image()
    reviewer, publisher = api_as(Permission.REVIEW), api_as(Permission.PUBLISH)
    both = body_of((image, "approve", {}), (image, "publish", {"slot": "hero"}))
    assert reviewer.post("decisions/", both).status_code == 403
    assert publisher.post("decisions/", both).status_code == 403
    assert states() == ["pending"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"decisions": []}, 400),
        ({"decisions": [{"key": "x", "image": 1, "decision": "approve"}]}, 400),
        ({"decisions": [{"key": str(uuid4()), "image": 1, "decision": "delete"}]}, 400),
        ({"decisions": [{"key": str(uuid4()), "image": 10**9, "decision": "approve"}]}, 410),
    ],
)
def test_what_makes_no_sense_decides_nothing(api, body, status):
    assert api.post("decisions/", body).status_code == status
    assert api.post("decisions/undo/", {}).status_code == 400


def test_reviewers_claim_different_pictures_and_give_them_back(api, api_as):
    images = [factories.image(factories.product(photo=False)) for _ in range(5)]
    other = api_as(Permission.REVIEW)
    mine = api.post("claims/", {"count": 3}).json()
    theirs = other.post("claims/").json()["results"]
    assert mine["seconds"] == 1800
    keys = [{each["id"] for each in found} for found in (mine["results"], theirs)]
    assert len(keys[0]) == 3 and keys[0] | keys[1] == {image.pk for image in images}
    assert not keys[0] & keys[1]
    assert api.post("claims/renew/").json() == {"claimed": 3, "images": sorted(keys[0])}
    body = {"images": [*keys[0]][:1] + [*keys[1]]}
    assert api.post("claims/renew/", body).json() == {"claimed": 1, "images": [*keys[0]][:1]}
    assert api.post("claims/release/", {"images": [*keys[0]][:1]}).json() == {"released": 1}
    assert api.post("claims/release/").json() == {"released": 2}
    assert len(other.post("claims/").json()["results"]) == 5
    assert api_as(Permission.PUBLISH).post("claims/").status_code == 403


def test_comments_are_written_once_and_read(api, api_as):
    image = factories.image()
    key = {"Idempotency-Key": "first"}
    for _ in range(2):
        answer = api.post(f"images/{image.pk}/comments/", {"text": "Too dark?"}, **key)
    assert answer.json()["author"] == api.user.username
    [found] = api_as().get(f"images/{image.pk}/comments/").json()["results"]
    assert (found["text"], found["author"]) == ("Too dark?", api.user.username)
    assert api_as().post(f"images/{image.pk}/comments/", {"text": "x"}).status_code == 403


@pytest.fixture
def small_files(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip


def of_other_mugs(number, **fields):
    return [factories.image(factories.product(photo=False), **fields) for _ in range(number)]


def publishing(*images, **more):
    return body_of(*((each, "publish", {"slot": "hero", **more}) for each in images))


@pytest.mark.usefixtures("small_files")
def test_files_of_many_pictures_are_made_by_a_worker_and_published_as_one(api):
    images = of_other_mugs(3)
    approved = factories.image(factories.product(photo=False))
    body = publishing(*images)
    body["decisions"] += body_of((approved, "approve", {}))["decisions"]
    answer = api.post("decisions/", body)
    results = answer.json()["results"]
    assert answer.status_code == 202
    assert [each["outcome"] for each in results] == ["waiting"] * 3 + ["done"]
    assert states() == ["approved"] * 4
    assert not Rendition.objects.exists() and not Placement.objects.exists()
    [key] = {each["publication"] for each in results[:3]}
    assert results[3]["publication"] is None
    detail = api.get(f"publications/{key}/").json()
    assert (detail["state"], detail["ready"], detail["total"]) == ("waiting", 0, 3)
    assert detail["actor"] == api.user.username
    work_on_publications()
    assert set(Placement.objects.values_list("image", flat=True)) == {each.pk for each in images}
    again = api.post("decisions/", body)
    assert again.status_code == 200
    assert [each["outcome"] for each in again.json()["results"]] == ["done"] * 4
    assert Publication.objects.count() == 1


@pytest.mark.usefixtures("small_files")
def test_a_single_picture_and_those_with_files_are_published_at_once(api):
    ready, missing = of_other_mugs(2, state=ImageState.APPROVED)
    renditions.make_renditions(ready)
    answer = api.post("decisions/", publishing(ready, missing))
    assert answer.status_code == 200 and Placement.objects.count() == 2
    assert not Publication.objects.exists()


@pytest.mark.usefixtures("small_files")
def test_what_waits_is_undone_one_by_one_and_after_it_was_published(api):
    former = factories.published(factories.product(photo=False)).image
    images = [factories.image(former.catalog_object), *of_other_mugs(2)]
    body = publishing(*images)
    first, second, third = (each["key"] for each in body["decisions"])
    api.post("decisions/", body)
    assert api.post("decisions/undo/", {"keys": [second]}).json()["undone"] == [second]
    work_on_publications()
    shown = Placement.objects.values_list("image", flat=True)
    assert set(shown) == {images[0].pk, images[2].pk}
    answer = api.post("decisions/undo/", {"keys": [first, third]}).json()
    assert (len(answer["undone"]), answer["refused"]) == (2, [])
    assert Placement.objects.get().image == former
    assert states() == ["approved", "pending", "pending", "pending"]


@pytest.mark.usefixtures("small_files")
def test_a_publication_of_which_all_is_undone_is_cancelled(api):
    body = publishing(*of_other_mugs(2))
    api.post("decisions/", body)
    keys = [each["key"] for each in body["decisions"]]
    assert len(api.post("decisions/undo/", {"keys": keys}).json()["undone"]) == 2
    work_on_publications()
    assert Publication.objects.get().state == "cancelled" and not Placement.objects.exists()


@pytest.mark.usefixtures("small_files")
def test_a_picture_that_cannot_be_published_does_not_hold_up_those_that_wait(api):
    images = [*of_other_mugs(2), factories.image(factories.product(photo=False))]
    body = publishing(*images)
    body["decisions"][2]["slot"] = "nowhere"
    results = api.post("decisions/", body).json()["results"]
    assert [each["outcome"] for each in results] == ["waiting", "waiting", "partly"]
    assert "nowhere" in results[2]["problem"]
    work_on_publications()
    assert Placement.objects.count() == 2


@pytest.mark.usefixtures("small_files")
def test_two_pictures_that_wait_do_not_get_one_place(api):
    mug = factories.product(photo=False)
    body = publishing(factories.image(mug), factories.image(mug))
    first, second = api.post("decisions/", body).json()["results"]
    assert (first["outcome"], second["outcome"]) == ("waiting", "partly")
    assert "for the same place" in second["problem"]


@pytest.mark.usefixtures("small_files")
def test_a_picture_that_was_rejected_before_its_files_were_made_says_so(api):
    images = of_other_mugs(2)
    body = publishing(*images)
    api.post("decisions/", body)
    ProductImage.objects.filter(pk=images[1].pk).update(state=ImageState.REJECTED)
    work_on_publications()
    answer = api.post("decisions/", body)
    assert answer.status_code == 200
    assert [each["outcome"] for each in answer.json()["results"]] == ["partly"] * 2
    assert f"Picture {images[1].pk} is not approved" in answer.json()["results"][0]["problem"]


@pytest.mark.usefixtures("small_files")
def test_what_a_worker_reads_while_a_picture_is_left_out_is_not_published(api, monkeypatch):
    images = of_other_mugs(2)
    body = publishing(*images)
    api.post("decisions/", body)
    rendition_requests.make_requested()
    checked = placements.checked

    def undone_meanwhile(*args, **options):
        monkeypatch.undo()
        api.post("decisions/undo/", {"keys": [body["decisions"][0]["key"]]})
        return checked(*args, **options)

    monkeypatch.setattr(placements, "checked", undone_meanwhile)
    due_publications.publish_due()
    assert not Placement.objects.filter(image=images[0]).exists()
    work_on_publications()
    assert Placement.objects.get().image == images[1]


@pytest.mark.usefixtures("small_files")
def test_undoing_what_was_shown_there_before_leaves_the_place_alone(api):
    images = of_other_mugs(2, state=ImageState.APPROVED)
    former = factories.published(images[0].catalog_object)
    placements.publish(images[0], slot="hero", actor=None)
    Rendition.objects.all().delete()
    body = publishing(*images)
    api.post("decisions/", body)
    work_on_publications()
    keys = [each["key"] for each in body["decisions"]]
    assert len(api.post("decisions/undo/", {"keys": keys}).json()["undone"]) == 2
    assert Placement.objects.get().image == images[0] != former.image

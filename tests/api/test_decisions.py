"""Decisions about several pictures at once, repeated and undone."""

from uuid import uuid4

import pytest

from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement, ProductImage, ReviewEvent
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

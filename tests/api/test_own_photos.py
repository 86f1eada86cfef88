"""The objects' own photos as pictures through the API."""

import pytest

from nb_catalog import worker
from nb_catalog.core.types import OWN_PHOTO, Permission
from nb_catalog.models import ProductImage, Run
from tests import factories
from tests.catalog.catalog_images import MugSource


def wish(*mugs, **changes):
    objects = [mug.pk for mug in mugs] or "all"
    return {"model": "testcatalog.mug", "objects": objects, **changes}


@pytest.fixture
def mug(db):
    return factories.product(photo=factories.photo_bytes((400, 500)))


def test_a_plan_says_what_can_be_made_and_that_it_is_free(api_as, mug):
    bare = factories.product(photo=False)
    found = api_as(Permission.GENERATE).post("plans/photos/", wish(mug, bare, ratio="1:1")).json()
    assert (found["is_free"], found["price_usd"]) == (True, "0.00")
    assert found["request"] == {
        "model": "testcatalog.mug", "ratio": "1:1", "slot": "", "every": False
    }  # fmt: skip
    assert (found["summary"]["missing"], found["summary"]["impossible"]) == (1, 1)
    first = next(item for item in found["items"] if item["status"] == "missing")
    assert (first["scene"], first["layout"], first["variant"]) == ("", "", 1)
    assert found["problems"] == [{"problem": "The product has no photo. Upload one.", "count": 1}]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"ratio": "wide"}, 422, "'wide' is not a ratio"),
        ({"slot": "heroo"}, 422, "Did you mean 'hero'?"),
        ({"every": "perhaps"}, 400, "every"),
        ({"scenes": ["marble"]}, 400, "scenes"),
        ({"tier": "draft"}, 400, "tier"),
    ],
)
@pytest.mark.parametrize("path", ["plans/photos/", "runs/photos/"])
def test_what_cannot_be_is_explained(api_as, mug, path, body, status, says):
    answer = api_as(Permission.GENERATE).post(path, wish(mug, **body))
    assert answer.status_code == status and says in answer.content.decode()
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_run_is_started_once_and_its_pictures_are_found(api_as, mug):
    factories.image(mug, scene="marble")
    api = api_as(*Permission)
    body = wish(mug, key="photos-1")
    started, again = (api.post("runs/photos/", body) for _ in range(2))
    assert (started.status_code, again.status_code) == (201, 200)
    assert started.json()["id"] == again.json()["id"]
    assert (started.json()["tier"], started.json()["estimate_usd"]) == ("", "0.00")
    assert api.post("runs/photos/", wish(mug, key="photos-1", ratio="1:1")).status_code == 409
    worker.drain()
    (row,) = api.get(f"images/?scene={OWN_PHOTO}").json()["results"]
    assert (row["scene"], row["spec"]["treatment"]) == ("", "photo")
    assert row["digital_source_type"] == "digitalCapture"
    assert row["pk" if "pk" in row else "id"] == ProductImage.objects.get(scene="").pk
    assert api.get("images/?scene=marble").json()["count"] == 1
    (job,) = api.get(f"jobs/?run={started.json()['id']}").json()["results"]
    assert (job["state"], job["spec"]["treatment"], job["spec"]["scene"]) == (
        "succeeded", "photo", ""
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_text_is_planned_on_them_by_their_name(api_as, mug, monkeypatch):
    monkeypatch.setattr(MugSource, "copy", lambda self, mug, locale: {"headline": "Offer"})
    factories.layout()
    factories.image(mug, scene="marble", size=(400, 500))
    api = api_as(*Permission)
    api.post("runs/photos/", wish(mug))
    worker.drain()
    body = wish(mug, layouts=["banner"], locales=["en"])
    assert api.post("plans/texts/", body).json()["summary"]["missing"] == 2
    found = api.post("plans/texts/", {**body, "scenes": [OWN_PHOTO]}).json()
    assert [item["scene"] for item in found["items"]] == [""]
    assert found["request"]["scenes"] == [OWN_PHOTO]


def test_a_scene_s_plan_offers_no_photo_as_a_treatment(api_as, mug):
    factories.scene()
    body = wish(mug, scenes=["marble"], treatment="photo")
    assert api_as(Permission.GENERATE).post("plans/", body).status_code == 400

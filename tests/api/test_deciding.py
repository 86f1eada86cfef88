"""Decisions, publishing, and what a headless storefront reads."""

import pytest
from django.utils import translation
from rest_framework.settings import api_settings

import nb_catalog
from nb_catalog import exceptions, registry
from nb_catalog.api import images as images_api
from nb_catalog.api.errors import STATUSES, handle
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement, ReviewEvent
from nb_catalog.publishing import placements
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug


@pytest.fixture
def api(api_as):
    return api_as(Permission.REVIEW, Permission.PUBLISH)


@pytest.mark.parametrize(
    ("before", "decision", "after"),
    [
        (ImageState.PENDING, "approve", "approved"),
        (ImageState.PENDING, "reject", "rejected"),
        (ImageState.REJECTED, "reconsider", "pending"),
        (ImageState.APPROVED, "retire", "retired"),
    ],
)
def test_a_picture_is_decided(api, before, decision, after):
    image = factories.image(state=before)
    answer = api.post(f"images/{image.pk}/{decision}/", {"note": "Because."})
    assert answer.status_code == 200
    assert answer.json()["state"] == after
    event = ReviewEvent.objects.get()
    assert (event.actor, event.note, event.move) == (api.user, "Because.", decision)


def test_a_second_decision_loses(api):
    image = factories.image()
    api.post(f"images/{image.pk}/approve/")
    answer = api.post(f"images/{image.pk}/reject/")
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "illegal_move"
    assert ReviewEvent.objects.count() == 1


def test_a_published_picture_is_not_retired(api):
    placement = factories.published()
    answer = api.post(f"images/{placement.image_id}/retire/")
    assert answer.status_code == 422
    assert answer.json()["code"] == "request_refused"


def test_publishing_answers_the_placement(api):
    image = factories.image(state=ImageState.APPROVED)
    answer = api.post(f"images/{image.pk}/publish/", {"slot": "hero", "locale": "de"})
    assert answer.status_code == 201
    found = answer.json()
    placement = Placement.objects.get()
    assert found["id"] == placement.pk
    assert (found["slot"], found["locale"], found["position"]) == ("hero", "de", 0)
    assert found["image"] == image.pk
    assert placement.actor == api.user


def test_everything_that_stands_against_publishing_is_told_at_once(api):
    image = factories.image()
    answer = api.post(f"images/{image.pk}/publish/", {"slot": "herro", "locale": "xx"})
    assert answer.status_code == 422
    assert len(answer.json()["objections"]) == 3
    assert "'hero'" in answer.json()["detail"]
    assert not Placement.objects.exists()


def test_a_picture_whose_file_is_gone_cannot_be_published(api):
    image = factories.image(state=ImageState.APPROVED, file="nb_catalog/images/gone.png")
    answer = api.post(f"images/{image.pk}/publish/", {"slot": "hero"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "picture_missing"


def test_a_placement_has_all_that_a_page_needs(api):
    mug = factories.product(name="Blue <mug>")
    placement = factories.published(mug)
    [found] = api.get("placements/").json()["results"]
    assert found["model"] == "testcatalog.mug"
    assert found["object"] == str(mug.pk)
    assert found["src"].endswith(".jpg")
    assert found["srcset"].endswith("40w")
    assert [each["type"] for each in found["sources"]] == ["image/avif", "image/webp"]
    assert (found["width"], found["height"]) == (40, 50)
    assert found["alt"] == "Blue <mug>"
    assert found["origin"] == {
        "digital_source_type": "compositeWithTrainedAlgorithmicMedia",
        "schema_org": (
            "https://schema.org/CompositeWithTrainedAlgorithmicMediaDigitalSource"
        ),
    }  # fmt: skip
    assert api.get(f"placements/{placement.pk}/").json() == found


def test_placements_are_found_by_object_and_slot(api):
    first, second, third = (factories.product() for _n in range(3))
    hero = factories.published(first)
    other = factories.published(second)
    factories.published(third)
    factories.published(first, slot="gallery")
    wish = {"model": "testcatalog.mug", "object": [first.pk, second.pk], "slot": "hero"}
    found = api.get("placements/", wish).json()["results"]
    assert {each["id"] for each in found} == {hero.pk, other.pk}


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("de", "de"), ("de-at", "de"), ("fr", ""), ("", "")],
)
def test_each_place_answers_with_one_picture_for_a_language(api, locale, expected):
    mug = factories.product()
    for each in ("", "de"):
        factories.published(mug, locale=each)
    found = api.get("placements/", {"locale": locale}).json()["results"]
    assert [each["locale"] for each in found] == [expected]


def test_the_alternative_text_is_in_the_language_asked_for(api, monkeypatch):
    monkeypatch.setattr(MugSource, "alt", lambda self, product, locale: f"Tasse ({locale})")
    factories.published()
    assert api.get("placements/?locale=de").json()["results"][0]["alt"] == "Tasse (de)"
    with translation.override("fr"):
        assert api.get("placements/").json()["results"][0]["alt"] == "Tasse (en)"


def test_a_placement_outlives_its_product(api):
    mug = factories.product()
    factories.published(mug)
    mug.delete()
    assert api.get("placements/").json()["results"][0]["alt"] == ""
    [placement] = Placement.objects.all()
    assert api.post(f"placements/{placement.pk}/roll-back/").status_code == 404
    assert api.post(f"placements/{placement.pk}/withdraw/").status_code == 204


def test_a_placement_outlives_the_registration_of_its_model(api):
    factories.published()
    registry.unregister(Mug)
    try:
        assert api.get("placements/").json()["results"][0]["alt"] == ""
    finally:
        nb_catalog.register(Mug)(MugSource)


def test_a_picture_is_withdrawn(api):
    placement = factories.published()
    assert api.post(f"placements/{placement.pk}/withdraw/").status_code == 204
    assert not Placement.objects.exists()


def test_a_place_is_rolled_back(api):
    mug = factories.product()
    first = factories.published(mug)
    second = factories.published(mug)
    assert second.pk == first.pk
    answer = api.post(f"placements/{first.pk}/roll-back/")
    assert answer.status_code == 200
    assert answer.json()["image"] == first.image_id
    assert api.post(f"placements/{first.pk}/roll-back/").status_code == 204
    assert not Placement.objects.exists()


def test_a_place_that_is_empty_now_is_rolled_back_too(api):
    mug = factories.product()
    placement = factories.published(mug)
    placements.withdraw(placement, actor=None)
    place = {"model": "testcatalog.mug", "object": mug.pk, "slot": "hero"}
    answer = api.post("placements/roll-back/", place)
    assert answer.status_code == 200
    assert answer.json()["image"] == placement.image_id


def test_nothing_to_undo_is_refused(api):
    place = {"model": "testcatalog.mug", "object": factories.product().pk, "slot": "hero"}
    answer = api.post("placements/roll-back/", place)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (exceptions.InvalidTransition("x"), 409),
        (exceptions.RequestRefused("x"), 422),
        (exceptions.PlanRefused("x"), 422),
        (exceptions.NotRegistered("x"), 404),
        (exceptions.StorageFailed("x"), 503),
        (exceptions.PictureUnreadable("x"), 422),
        (exceptions.CutoutRefused("x"), 422),
        (exceptions.ObjectGone("x"), 410),
        (exceptions.OutcomeUnknown("x"), 502),
        (exceptions.AlreadyRegistered("x"), 400),
    ],
)
def test_every_error_of_ours_has_a_status_and_its_stable_code(error, status):
    answer = handle(error, {})
    assert answer.status_code == answer.data["status"] == status
    assert answer.data["code"] == error.code
    assert set(answer.data) >= {"type", "title", "status", "detail", "code"}


def test_a_broken_storage_says_when_to_come_back(api, monkeypatch):
    def broken(*_args, **_options):
        raise exceptions.StorageFailed("The storage did not take it.")

    monkeypatch.setattr(images_api.placements, "publish", broken)
    image = factories.image(state=ImageState.APPROVED)
    answer = api.post(f"images/{image.pk}/publish/", {"slot": "hero"})
    assert answer.status_code == 503
    assert answer["Retry-After"]


def test_an_error_that_nobody_expects_stays_an_error():
    assert handle(ValueError("a defect"), {}) is None
    assert STATUSES[-1][0] is exceptions.NBCatalogError


def test_our_handler_leaves_the_hosts_views_alone():
    assert api_settings.EXCEPTION_HANDLER is not handle

"""What does not fit a slot is not published there, whichever door it comes through."""

import pytest

import nb_catalog
from nb_catalog import storefront
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import Placement, ProductImage
from nb_catalog.publishing import placements
from tests import factories
from tests.api.conftest import Api
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def slots(monkeypatch):
    hero, plain = nb_catalog.Slot("hero", ratio="4:5"), nb_catalog.Slot("plain", words=False)
    monkeypatch.setattr(MugSource, "slots", (hero, plain))


def approved(*args, **fields):
    return factories.image(*args, state=ImageState.APPROVED, **fields)


def test_a_square_picture_is_not_published_into_a_slot_that_would_crop_it():
    square = approved(size=(100, 100))
    with pytest.raises(RequestRefused, match="100 x 100 pixels and would be cropped"):
        placements.publish(square, slot="hero", actor=None)
    assert not Placement.objects.exists()
    placements.publish(approved(size=(928, 1152)), slot="hero", actor=None)


def test_a_picture_with_text_is_not_published_where_no_text_may_be():
    with pytest.raises(RequestRefused, match="no pictures with text"):
        placements.publish(approved(locale="en"), slot="plain", actor=None)
    placements.publish(approved(), slot="plain", actor=None)


def test_the_api_refuses_it_with_the_reason(db):
    api = Api(factories.staff(*Permission))
    square = approved(size=(100, 100))
    answer = api.post(f"images/{square.pk}/publish/", {"slot": "hero"})
    assert answer.status_code == 422
    assert "would be cropped" in answer.json()["objections"][0]


def test_the_review_page_refuses_it_with_the_reason(client):
    client.force_login(factories.superuser())
    square = approved(size=(100, 100))
    data = {"decision": f"publish:{square.pk}", f"slot-{square.pk}": "hero"}
    page = client.post("/admin/nb_catalog/productimage/review/decide/", data, follow=True)
    assert "would be cropped" in page.content.decode()
    assert not Placement.objects.exists()


def test_a_roll_back_does_not_bring_back_what_would_be_cropped(monkeypatch):
    mug = factories.product()
    monkeypatch.setattr(MugSource, "slots", ("hero",))
    placements.publish(approved(mug, size=(100, 100)), slot="hero", actor=None)
    placements.publish(approved(mug), slot="hero", actor=None)
    monkeypatch.setattr(MugSource, "slots", {"hero": "4:5"})
    with pytest.raises(RequestRefused, match="does not fit any more"):
        placements.roll_back(mug, slot="hero", actor=None)
    assert Placement.objects.get().image.width == 40


def test_a_page_knows_the_shape_of_a_picture_and_whether_there_are_words_on_it():
    mug = factories.product()
    factories.published(mug, size=(400, 500))
    picture = storefront.picture_for(mug, "hero")
    assert (picture.width, picture.height, picture.aspect_ratio) == (400, 500, "400 / 500")
    assert not picture.has_text and "data-has-text" not in picture.__html__()
    renderer = {"texts": {"headline": "Sale"}, "layout": {"boxes": []}}
    renderer["layout"]["boxes"] = [{"role": "headline", "place": {"top": 0}}]
    spec = factories.spec(mug, base="0" * 64, renderer=renderer, locale="en", prompt="")
    factories.published(mug, asked=spec, locale="en")
    assert ProductImage.objects.count() == 2
    picture = storefront.picture_for(mug, "hero", locale="en")
    assert picture.has_text and " data-has-text" in picture.__html__()

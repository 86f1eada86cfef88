"""Pictures of rows over REST: the same files as in the admin, privately cached; and saved filters."""

import json
from io import BytesIO

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from nb_catalog import review
from nb_catalog.admin.review.forms import FilterForm
from nb_catalog.core.types import Permission
from nb_catalog.imaging.provenance import read_mark
from nb_catalog.models import ReviewFilter
from nb_catalog.review.saved_filters import FIELDS
from tests import factories
from tests.admin.test_scenes import change, upload
from tests.admin.test_text_layouts import CORNER

OAK = {"surface": {"kind": "oak", "tone": "#b98a5a"}}
WIDE = {"boxes": [{**CORNER["boxes"][0], "smallest": 0.08}]}

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(api_as):
    return api_as(
        *(
            f"nb_catalog.{verb}_{name}"
            for name in ("scene", "textlayout")
            for verb in ("add", "change")
        ),
        Permission.REVIEW,
        Permission.GENERATE,
    )


@pytest.fixture
def browser(api):
    client = Client()
    client.force_login(api.user)
    return client


def picture(response):
    assert response.status_code == 200, response.content[:500]
    assert response["Content-Type"] == "image/webp"
    return np.asarray(Image.open(BytesIO(response.content)).convert("RGB")).astype(int)


def page(name, *args):
    return reverse(f"admin:nb_catalog_{name}", args=args)


def with_photo(scene, browser):
    change(browser, scene, photo_file=upload())
    scene.refresh_from_db()
    assert scene.backdrop_sha256


def test_a_picture_that_is_not_published_has_a_small_one_that_only_its_client_stores(api, browser):
    image = factories.image(data=factories.photo_bytes((1500, 2000)))
    address = api.get(f"images/{image.pk}/").json()["thumbnail"]
    assert address == api.get("images/").json()["results"][0]["thumbnail"]
    small = api.client.get(address)
    assert picture(small).shape[1] == 320
    assert read_mark(small.content) == image.digital_source_type
    assert small["Cache-Control"] == "private, no-cache"
    assert small["X-Content-Type-Options"] == "nosniff"
    again = api.client.get(address, headers={"If-None-Match": small["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    # They replace those of the stored response.
    for name in ("Cache-Control", "ETag", "Vary"):
        assert again[name] == small[name], name
    assert api.client.get(address, headers={"If-Match": '"other"'}).status_code == 200
    large = api.client.get(f"{address}?width=960")
    assert picture(large).shape[1] == 960 and large["ETag"] != small["ETag"]
    shown = browser.get(page("productimage_preview", image.pk, image.sha256[:16], 320))
    assert shown.content == small.content
    wrong = api.client.get(f"{address}?width=500")
    assert wrong.status_code == 400 and "width" in wrong.json()["errors"]


def test_a_small_picture_takes_the_permission_and_the_file(api_as, anybody):
    image = factories.image()
    path = f"images/{image.pk}/thumbnail.webp"
    assert anybody.get(path).status_code in (401, 403)
    assert api_as(views=False).get(path).status_code == 403
    image.file.storage.delete(image.file.name)
    gone = api_as().get(path)
    assert (gone.status_code, gone.json()["code"]) == (422, "picture_missing")


@pytest.mark.parametrize(("name", "path"), [("scene", "scenes"), ("textlayout", "layouts")])
def test_a_saved_scene_or_layout_has_the_picture_of_the_list(api, browser, name, path):
    row = factories.scene() if name == "scene" else factories.layout()
    address = api.get(f"{path}/{row.key}/").json()["thumbnail"]
    sent = api.client.get(address)
    shown = browser.get(page(f"{name}_thumbnail", row.pk, "0"), follow=True)
    assert picture(sent).size and shown.content == sent.content
    assert api.client.get(address, headers={"If-None-Match": sent["ETag"]}).status_code == 304


def test_a_scene_without_anything_to_draw_has_no_picture_and_its_photo_is_one(api, browser):
    bare = factories.scene("bare", renderer={})
    assert api.get("scenes/bare/").json()["thumbnail"] is None
    assert api.get("scenes/bare/thumbnail.webp").status_code == 404
    with_photo(bare, browser)
    address = api.get("scenes/bare/").json()["thumbnail"]
    assert picture(api.client.get(address)).shape[:2] == (240, 320)


def test_a_layout_is_shown_in_the_language_that_is_asked_for(api, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "ar"]}
    path = f"layouts/{factories.layout(content=CORNER).key}/thumbnail.webp"
    english, arabic = picture(api.get(path)), picture(api.get(path, {"locale": "ar"}))
    assert np.abs(english - arabic).max() > 100
    wrong = api.get(path, {"locale": "xx"})
    assert wrong.status_code == 400 and "There is no locale" in wrong.json()["errors"]["locale"][0]


def test_a_layout_that_was_saved_without_the_form_says_what_is_wrong(api):
    factories.layout("broken", content={"boxes": []})
    answer = api.get("layouts/broken/thumbnail.webp")
    assert (answer.status_code, answer.json()["code"]) == (422, "request_refused")
    assert "at least one box" in answer.json()["detail"]


def test_what_is_not_saved_is_drawn_as_in_the_form(api, browser):
    mug = factories.product(colour="blue")
    query = {"content": json.dumps(OAK)}
    sent = api.post("scenes/preview/", {"renderer": OAK})
    assert sent.content == browser.get(page("scene_preview"), query).content
    product = {"model": "testcatalog.mug", "object": str(mug.pk), "ratio": "4:5"}
    sent = api.post("scenes/preview/", {"renderer": OAK, **product})
    query |= {"product": f"testcatalog.mug:{mug.pk}", "ratio": "4:5"}
    assert picture(sent).shape == (450, 360, 3)
    assert sent.content == browser.get(page("scene_preview"), query).content
    assert sent["Cache-Control"] == "no-store"
    query = {"content": json.dumps(CORNER), "locale": "de"}
    sent = api.post("layouts/preview/", {"content": CORNER, "locale": "de"})
    assert picture(sent).size
    assert sent.content == browser.get(page("textlayout_preview"), query).content


def test_a_product_is_shown_at_an_unsaved_place_in_a_photo(api, api_as, browser):
    mug, scene = factories.product(), factories.scene()
    with_photo(scene, browser)
    place = {"ground": 0.6, "bottom": 0.9, "height": 0.4, "x": 0.35}
    body = {"scene": scene.key, "place": place, "model": "testcatalog.mug", "object": str(mug.pk)}
    query = {"scene": scene.pk, "place": json.dumps(place), "product": f"testcatalog.mug:{mug.pk}"}
    sent = api.post("scenes/preview/", body)
    assert read_mark(sent.content) == "compositeCapture"
    assert sent.content == browser.get(page("scene_preview"), query).content
    adder = api_as("nb_catalog.add_scene")
    assert adder.post("scenes/preview/", body).status_code == 403
    assert adder.post("scenes/preview/", {"renderer": OAK}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("scenes", {}, 400, "not both"),
        ("scenes", {"renderer": OAK, "scene": "marble"}, 400, "does not exist"),
        ("scenes", {"renderer": {"surface": {"kind": "gold"}}}, 400, "gold"),
        ("scenes", {"renderer": {**OAK, "props": [{"kind": "disc"}] * 101}}, 400, "at most 100"),
        ("scenes", {"renderer": OAK, "model": "testcatalog.mug"}, 400, "Send this, too."),
        ("scenes", {"renderer": OAK, "model": "testcatalog.mug", "object": "999"}, 422, "is gone"),
        ("scenes", {"renderer": OAK, "model": "testcatalog.mug", "object": "x"}, 422, "is gone"),
        ("scenes", {"renderer": OAK, "model": "nothing", "object": "1"}, 404, "nothing"),
        ("layouts", {"content": {"boxes": []}}, 400, "at least one box"),
        ("layouts", {"content": CORNER, "locale": "xx"}, 400, "There is no locale"),
        ("layouts", {"content": WIDE, "locale": "en"}, 422, "badge (en)"),
    ],
)
def test_a_picture_that_cannot_be_drawn_says_why(api, path, body, status, says):
    factories.scene("marble")
    answer = api.post(f"{path}/preview/", body)
    assert answer.status_code == status and says in answer.content.decode()


def test_products_that_a_user_may_not_view_are_not_drawn(api_as):
    mug = factories.product()
    api = api_as("nb_catalog.change_scene", views=False)
    body = {"renderer": OAK, "model": "testcatalog.mug", "object": str(mug.pk)}
    assert api.post("scenes/preview/", body).status_code == 422


def test_adjustments_are_shown_before_they_are_made(api, browser):
    image = factories.image()
    wanted = [{"kind": "crop", "ratio": "1:1"}]
    sent = picture(api.post(f"images/{image.pk}/adjust/preview/", {"adjustments": wanted}))
    assert sent.shape[0] == sent.shape[1]
    wrong = api.post(f"images/{image.pk}/adjust/preview/", {"adjustments": [{"kind": "x"}]})
    assert wrong.status_code == 422
    assert not image.children.exists()


def test_filters_are_those_of_the_review_page(api, browser):
    assert list(FilterForm.base_fields) == list(FIELDS)
    wanted = {"name": "Oak", "filter": {"state": "pending", "scene": "oak"}, "is_shared": True}
    saved = api.post("review-filters/", wanted)
    assert saved.status_code == 201
    assert saved.json() == {"id": saved.json()["id"], "owner": api.user.username, **wanted}
    browser.post(page("productimage_filters"), {"name": "Pine", "back": "page=2&scene=pine"})
    results = api.get("review-filters/").json()["results"]
    assert [(each["name"], each["filter"]) for each in results] == [
        ("Oak", {"state": "pending", "scene": "oak"}),
        ("Pine", {"scene": "pine"}),
    ]
    assert (
        'href="?state=pending&amp;scene=oak"'
        in browser.get(page("productimage_review")).content.decode()
    )
    again = api.post("review-filters/", {"name": "Oak", "filter": {"state": "rejected"}})
    assert again.json()["id"] == saved.json()["id"] and again.json()["is_shared"] is False


def test_a_filter_belongs_to_its_owner(api, api_as):
    other = api_as()
    hidden = review.save_filter("Mine", query="state=rejected", is_shared=False, user=api.user)
    shared = review.save_filter("Ours", query="state=all", is_shared=True, user=api.user)
    assert [each["id"] for each in other.get("review-filters/").json()["results"]] == [shared.pk]
    for row in (hidden, shared):
        assert other.delete(f"review-filters/{row.pk}/").status_code == 404
    assert ReviewFilter.objects.count() == 2
    assert api.delete(f"review-filters/{hidden.pk}/").status_code == 204
    assert api_as(views=False).get("review-filters/").status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " ", "filter": {}}, "name"),
        ({"name": "Oak", "filter": {"sceen": "oak"}}, "filter"),
        ({"name": "Oak"}, "filter"),
    ],
)
def test_a_filter_that_cannot_be_saved_says_why(api, body, field):
    answer = api.post("review-filters/", body)
    assert answer.status_code == 400 and field in answer.json()["errors"]
    assert not ReviewFilter.objects.exists()

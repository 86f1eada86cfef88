"""Edits of pictures through the API."""

from base64 import b64encode

import pytest

from nb_catalog import worker
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductImage, Run
from nb_catalog.testing.scripted import Script
from tests import factories

CROP = {"kind": "crop", "ratio": "4:5"}


@pytest.fixture
def image(db):
    return factories.image(size=(300, 300), data=factories.photo_bytes((300, 300)))


@pytest.mark.django_db(transaction=True)
def test_a_picture_is_adjusted_once_per_key(api_as, image):
    api = api_as(Permission.GENERATE)
    body = {"adjustments": [CROP]}
    answers = [
        api.post(f"images/{image.pk}/adjust/", body, **{"Idempotency-Key": "a-1"}) for _ in range(2)
    ]
    assert answers[0].status_code == 201
    assert answers[0].json() == answers[1].json()
    run = Run.objects.get(pk=answers[0].json()["run"])
    worker.drain()
    child = ProductImage.objects.get(job__run=run)
    found = api.get(f"images/{child.pk}/").json()
    assert found["parent"] == image.pk and (found["width"], found["height"]) == (240, 300)
    assert found["spec"]["edit"]["adjustments"] == [CROP]
    # It exists, so nothing is started.
    assert api.post(f"images/{image.pk}/adjust/", body).json() == {"run": None}
    assert api.post(f"images/{child.pk}/move-texts/", {}).json() == {"run": None}


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 400, "adjustments"),
        ({"adjustments": "crop"}, 400, "adjustments"),
        ({"adjustments": [1]}, 400, "adjustments"),
        ({"adjustments": []}, 422, "nothing to adjust"),
        ({"adjustments": [{"kind": "crop", "ratio": "wide"}]}, 422, "not a ratio"),
        ({"adjustments": [{"kind": "background", "colour": "#ffffff"}], "x": 1}, 400, "x"),
        ({"adjustments": [{"kind": "extend", "ratio": "16:9"}]}, 422, "local renderer"),
        ({"adjustments": [CROP] * 13}, 400, "12"),
    ],
)
def test_what_cannot_be_is_explained(api_as, image, body, status, says):
    answer = api_as(Permission.GENERATE).post(f"images/{image.pk}/adjust/", body)
    assert answer.status_code == status and says in answer.content.decode()
    assert not Run.objects.exists()


def test_what_is_no_edit_has_no_texts_to_move(api_as, image):
    answer = api_as(Permission.GENERATE).post(f"images/{image.pk}/move-texts/", {})
    assert answer.status_code == 422 and "not an edit" in answer.content.decode()


@pytest.fixture
def paid(settings):
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"paid": script.as_setting()},
        "TIERS": {"draft": {"PROVIDER": "paid", "MODEL": "gemini-nano-banana-2.1", "SIZE": "1K"}},
    }
    mug = factories.product(photo=factories.photo_bytes((300, 300)))
    return factories.image(
        mug,
        size=(300, 300),
        data=factories.photo_bytes((300, 300)),
        asked=factories.spec(mug, photo=mug.packshot.name, ratio="1:1"),
    )


@pytest.mark.django_db(transaction=True)
def test_an_edit_in_words_has_its_price_before_and_its_mask_in_the_body(api_as, paid):
    api = api_as(Permission.GENERATE)
    mask = b64encode(factories.mask_bytes((300, 300), box=(0, 0, 299, 30))).decode()
    body = {"instruction": "A red ceiling", "mask": mask}
    found = api.post(f"images/{paid.pk}/plan-edit/", body).json()
    assert found["summary"]["wanted"] == 1 and float(found["price_usd"]) > 0
    assert found["request"]["instruction"] == "A red ceiling"
    started = api.post(f"images/{paid.pk}/edit/", {**body, "budget_usd": "1"})
    assert started.status_code == 201
    # Titles are for all who may view runs, who may not all read instructions.
    assert Run.objects.get().title == f"Edit of picture {paid.pk}"
    worker.drain()
    child = ProductImage.objects.get(job__run=started.json()["run"], kind="picture")
    listed = api.get("images/", {"object": paid.object_id, "model": "testcatalog.mug"}).json()
    assert {each["id"] for each in listed["results"]} == {paid.pk, child.pk}, "not the answer"
    assert api.post(f"images/{paid.pk}/edit/", body).json() == {"run": None}


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 400, "instruction"),
        ({"instruction": ""}, 422, "Say what is to change"),
        ({"instruction": "x" * 10_000}, 422, "at most 1,000"),
        ({"instruction": "x" * 30_000}, 400, "instruction"),
        ({"instruction": "x", "mask": "§"}, 400, "base64"),
        ({"instruction": "x", "mask": "aGk="}, 422, "not a picture"),
        ({"instruction": "x", "candidates": 9}, 400, "candidates"),
        ({"instruction": "x", "tier": "gold"}, 422, "no tier"),
    ],
)
@pytest.mark.parametrize("path", ["plan-edit", "edit"])
def test_what_is_wrong_with_an_edit_is_explained(api_as, paid, path, body, status, says):
    answer = api_as(Permission.GENERATE).post(f"images/{paid.pk}/{path}/", body)
    assert answer.status_code == status and says in answer.content.decode()
    assert not Run.objects.exists()

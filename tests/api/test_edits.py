"""Edits of pictures through the API."""

import pytest

from nb_catalog import worker
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductImage, Run
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

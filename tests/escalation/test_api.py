"""Finals over REST: planned with their price, started once, chosen and published."""

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from nb_catalog import generation, review
from nb_catalog.core.types import Permission
from nb_catalog.models import ImageJob, ProductImage, Run
from nb_catalog.publishing import placements
from tests import factories
from tests.escalation.conftest import final_row, paid

pytestmark = pytest.mark.django_db(transaction=True)

API = "/api/catalog-images/"


@pytest.fixture
def client():
    client = APIClient()
    user = factories.staff(
        *factories.VIEW_PRODUCTS, Permission.GENERATE, Permission.REVIEW, Permission.PUBLISH
    )
    client.force_login(user)
    client.user = user
    return client


def post(client, address, body=None, **options):
    return client.post(f"{API}{address}", body or {}, format="json", **options)


def test_a_plan_of_finals_has_the_price_and_the_reasons(client, script):
    good, bad = paid(), paid(state="rejected")
    body = {"images": [good.pk, bad.pk], "candidates": 2}
    answer = post(client, "plans/finals/", body)
    assert answer.status_code == 200, answer.data
    each = generation.plan_escalation([good]).price_each_usd
    assert Decimal(answer.data["price_usd"]) == 2 * each
    assert answer.data["summary"]["missing"] == 2 and answer.data["left_out"] == []
    assert "was rejected" in answer.data["problems"][0]["problem"]
    assert Run.objects.count() == 0


def test_a_plan_within_a_budget_names_what_is_left_out(client, script):
    images = [paid(), paid()]
    each = generation.plan_escalation(images).price_each_usd
    body = {"images": [image.pk for image in images], "budget_usd": str(each)}
    answer = post(client, "plans/finals/", body)
    assert answer.data["summary"]["wanted"] == 1
    [left] = answer.data["left_out"]
    assert left["image"] == images[1].pk and left["value"] == 1 and "budget" in left["reason"]
    nothing = post(client, "plans/finals/", {**body, "budget_usd": "0"})
    assert nothing.data["key"] is None and len(nothing.data["left_out"]) == 2


def test_a_run_of_finals_is_started_once_for_its_key(client, script):
    images = [paid(), paid()]
    each = generation.plan_escalation(images).price_each_usd
    body = {"images": [image.pk for image in images], "budget_usd": str(each)}
    header = {"HTTP_IDEMPOTENCY_KEY": "once"}
    first = post(client, "runs/finals/", body, **header)
    again = post(client, "runs/finals/", body, **header)
    assert (first.status_code, again.status_code) == (201, 200), first.data
    assert first.data["id"] == again.data["id"] and first.data["left_out"] == again.data["left_out"]
    run = Run.objects.get()
    assert run.budget_usd == each and run.jobs.count() == 1 and run.actor == client.user
    nothing = post(client, "runs/finals/", {**body, "budget_usd": "0"})
    assert nothing.status_code == 422 and "budget is used up" in str(nothing.data)


def test_one_picture_is_escalated_once_for_its_key(client, script):
    image = paid()
    address = f"images/{image.pk}/escalate/"
    header = {"HTTP_IDEMPOTENCY_KEY": "once"}
    first = post(client, address, {"tier": "standard"}, **header)
    again = post(client, address, {"tier": "standard"}, **header)
    assert first.status_code == 201 and again.data == first.data
    assert ImageJob.objects.filter(run=first.data["run"]).count() == 2
    refused = post(client, address)
    assert refused.status_code == 422 and "is being made" in str(refused.data)


@pytest.mark.parametrize(
    ("fields", "body", "message"),
    [
        ({"state": "rejected"}, {}, "was rejected"),
        ({"state": "retired"}, {}, "is retired"),
        ({}, {"tier": "draft"}, "is not a higher one"),
        ({}, {"tier": "premum"}, "There is no tier"),
        ({}, {"candidates": 5}, "4"),
        ({}, {"treatment": "photo"}, "photo"),
        ({}, {"budget_usd": "-1"}, "0"),
        ({}, {"colour": "red"}, "colour"),
    ],
)
def test_bad_requests_are_refused_with_a_sentence(client, script, fields, body, message):
    answer = post(client, f"images/{paid(**fields).pk}/escalate/", body)
    assert answer.status_code in (400, 422) and message in str(answer.data)
    assert Run.objects.count() == 0


def test_unknown_pictures_and_a_second_model_are_refused(client, script):
    assert "There are no pictures with these keys: 99999" in str(
        post(client, "plans/finals/", {"images": [99999]}).data
    )
    both = [paid().pk, factories.image(factories.poster()).pk]
    assert "of several" in str(post(client, "plans/finals/", {"images": both}).data)
    assert post(client, "plans/finals/", {"images": []}).status_code == 400


def test_a_chosen_final_is_published_in_the_places_of_its_draft(client, script):
    image = paid(state="approved", size=(200, 250))
    placements.publish(image, slot="hero", actor=None)
    final, other = (final_row(image, number=number, size=(200, 250)) for number in (1, 2))
    assert post(client, f"images/{final.pk}/approve/").status_code == 200
    assert ProductImage.objects.get(pk=other.pk).state == "retired"
    shown = client.get(f"{API}images/{final.pk}/").data
    assert shown["draft"] == image.pk
    answer = post(client, f"images/{final.pk}/publish-final/")
    assert [place["slot"] for place in answer.data["published"]] == ["hero"]
    assert answer.data["waiting"] == []
    assert image.placements.count() == 0 and final.placements.count() == 1
    again = post(client, f"images/{image.pk}/publish-final/")
    assert again.status_code == 422 and "is not the final" in str(again.data)


@pytest.mark.parametrize("missing", [Permission.GENERATE, "testcatalog.view_mug"])
def test_it_takes_the_permissions_to_generate_and_to_see_the_products(script, missing):
    image = paid()
    client = APIClient()
    given = {*factories.VIEW_PRODUCTS, Permission.GENERATE} - {missing}
    client.force_login(factories.staff(*given))
    for address, body in (
        (f"images/{image.pk}/escalate/", {}),
        ("plans/finals/", {"images": [image.pk]}),
        ("runs/finals/", {"images": [image.pk]}),
    ):
        assert post(client, address, body).status_code == 403
    assert Run.objects.count() == 0 and review.escalate(image, actor=None)

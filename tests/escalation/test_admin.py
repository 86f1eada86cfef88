"""Finals in the admin: their page with price and confirmation, and the review page."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nb_catalog import generation, review
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductImage, Run
from nb_catalog.publishing import placements
from tests import factories
from tests.escalation.conftest import final_row, paid

pytestmark = pytest.mark.django_db(transaction=True)

MUGS = "testcatalog.view_mug"


def url(name, model="run"):
    return reverse(f"admin:nb_catalog_{model}_{name}")


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


@pytest.fixture
def maker(client):
    user = factories.staff(Permission.GENERATE, Permission.REVIEW, Permission.PUBLISH, MUGS)
    client.force_login(user)
    client.user = user
    return client


def posted(image, **changes):
    fields = {
        "images": str(image.pk), "tier": "premium", "candidates": "2", "treatment": "",
        "mode": "direct", "budget_usd": "", "nonce": "opened", "start": "1",
    }  # fmt: skip
    return {**fields, **changes}


def test_the_page_shows_the_drafts_the_tiers_and_the_price(maker, script):
    image = paid()
    answer = maker.get(url("finals"), {"images": image.pk})
    assert answer.status_code == 200
    shown = text_of(answer)
    assert "2 pictures to generate" in shown and f"#{image.pk} · draft" in shown
    # The best tier that works is chosen, and all are offered with their prices.
    assert answer.context["form"]["tier"].value() == "best"
    for tier in ("Sketch", "Standard", "Premium", "Best"):
        assert tier in shown
    assert Run.objects.count() == 0


def test_a_paid_final_is_confirmed_at_its_price_and_started_once(maker, script):
    image = paid()
    asked = maker.post(url("finals"), posted(image))
    price = generation.plan_escalation([image]).summary().price_usd
    assert "Spend up to" in text_of(asked) and Run.objects.count() == 0
    assert asked.context["agreed"] == str(price)
    agreed = dict(asked.context["hidden_fields"])
    assert agreed["images"] == str(image.pk) and agreed["candidates"] == "2"
    done = maker.post(url("finals"), {**agreed, "agreed_usd": str(price), "start": "1"})
    run = Run.objects.get()
    assert done.status_code == 302 and str(run.pk) in done["Location"]
    assert run.jobs.count() == 2 and run.actor == maker.user
    again = maker.post(url("finals"), {**agreed, "agreed_usd": str(price), "start": "1"})
    assert again["Location"] == done["Location"] and Run.objects.count() == 1


def test_a_budget_chooses_the_most_valuable_and_shows_what_is_left_out(maker, script):
    images = [paid(), paid()]
    each = generation.plan_escalation(images).price_each_usd
    keys = ",".join(str(image.pk) for image in images)
    fields = posted(images[0], images=keys, candidates="1", budget_usd=str(each))
    answer = maker.post(url("finals_plan"), fields)
    shown = text_of(answer)
    assert "1 picture to generate" in shown and "1 picture is left out" in shown
    assert f"#{images[1].pk}: The budget is used up" in shown and "Value 1" in shown
    nothing = text_of(maker.post(url("finals_plan"), {**fields, "budget_usd": "0"}))
    assert "The budget is used up" in nothing


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tier": "draft"}, "is not a higher one"),
        ({"candidates": "9"}, "less than or equal to 4"),
        ({"tier": "none"}, "none is not one of the available choices"),
        ({"budget_usd": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_is_not_possible_is_said_in_the_plan(maker, script, changes, message):
    assert message in text_of(maker.post(url("finals_plan"), posted(paid(), **changes)))


def test_pictures_of_a_list_are_made_final_by_an_action(maker, script):
    images = [paid(), paid()]
    body = {"action": "make_final", "_selected_action": [str(image.pk) for image in images]}
    answer = maker.post(url("changelist", "productimage"), body)
    assert answer.status_code == 302
    keys = ",".join(str(image.pk) for image in images)
    assert answer["Location"].endswith(f"finals/?images={keys.replace(',', '%2C')}")
    assert maker.get(answer["Location"]).status_code == 200


def test_who_may_not_generate_sees_no_way_and_none_works(client, script):
    image = paid()
    client.force_login(factories.staff(Permission.REVIEW, MUGS))
    assert client.get(url("finals"), {"images": image.pk}).status_code == 403
    listed = client.get(url("changelist", "productimage"))
    assert "make_final" not in listed.content.decode()
    shown = client.get(url("review", "productimage")).content.decode()
    assert "Make final" not in shown
    client.force_login(factories.staff(Permission.GENERATE, MUGS, views=False))
    assert client.get(url("finals"), {"images": image.pk}).status_code == 403
    client.force_login(factories.staff(Permission.GENERATE))
    assert client.get(url("finals"), {"images": image.pk}).status_code == 403


@pytest.mark.parametrize("query", [{}, {"images": "x"}, {"images": "99999"}, {"series": "99999"}])
def test_pictures_that_do_not_exist_are_not_found(maker, script, query):
    assert maker.get(url("finals"), query).status_code == 404


def test_a_final_is_shown_beside_its_draft_with_what_differs(maker, script):
    image = paid(state="approved")
    final = final_row(
        image,
        checks={
            "composition": {"score": 1.8, "worst": "place", "parts": {}, "draft": image.pk},
            "final": {"difference_microusd": 100_600},
        },
    )
    answer = maker.get(url("review", "productimage"))
    shown = text_of(answer)
    assert f"Final of picture {image.pk} (draft)" in shown
    assert "differs from its draft: The product is larger, smaller or elsewhere." in shown
    assert "$0.1006 more than the draft" in shown
    # A flagged final is decided about individually.
    assert f'name="chosen" value="{final.pk}"' not in answer.content.decode()
    compared = maker.get(url("review", "productimage"), {"draft": image.pk})
    [(_product, _heading, cards)] = compared.context["groups"]
    assert [card.pk for card in cards] == [image.pk, final.pk]


def test_a_final_that_replaces_nothing_stays_approved_and_says_so(maker, script):
    final = final_row(paid(state="approved"))
    answer = maker.post(
        url("decide", "productimage"),
        {"decision": f"publish_final:{final.pk}"},
        headers={"accept": "application/json"},
    ).json()
    assert answer["level"] == "warning" and "is approved, but not published" in answer["message"]
    assert ProductImage.objects.get(pk=final.pk).state == "approved"


def test_choosing_and_publishing_on_the_review_page_replaces_the_draft(maker, script):
    image = paid(state="approved", size=(200, 250))
    placements.publish(image, slot="hero", actor=None)
    final, other = (final_row(image, number=number, size=(200, 250)) for number in (1, 2))
    page = maker.get(url("review", "productimage"), {"draft": image.pk}).content.decode()
    assert f'value="publish_final:{final.pk}"' in page

    def replace_draft(seen):
        data = {"decision": f"publish_final:{final.pk}", f"seen-{final.pk}": seen}
        decide = url("decide", "productimage")
        return maker.post(decide, data, headers={"accept": "application/json"}).json()

    # Somebody has returned it to review since.
    answer = replace_draft("approved")
    assert not answer["ok"] and f"Cannot publish picture {final.pk}" in answer["message"]
    assert not final.placements.exists()
    answer = replace_draft("pending")
    assert answer["ok"] and "replaces its draft in hero" in answer["message"]
    assert final.placements.get().slot == "hero"
    assert ProductImage.objects.get(pk=other.pk).state == "retired"


def test_the_review_page_takes_a_constant_number_of_queries_with_finals(maker, script):
    def count():
        with CaptureQueriesContext(connection) as queries:
            maker.get(url("review", "productimage"))
        return len(queries)

    final_row(paid(state="approved"))
    count()
    first = count()
    for _ in range(4):
        final_row(paid(state="approved"))
    assert count() == first


def test_the_pictures_of_a_series_are_made_final_together(maker, script):
    mug = factories.product()
    series = factories.series(mug, tier="sketch")
    [item] = generation.plan_series(series).items()
    image = factories.image(mug, asked=item.spec, tier="sketch", size=(80, 100))
    sheet = reverse("admin:nb_catalog_series_sheet", args=[series.pk])
    link = f"{url('finals')}?series={series.pk}"
    assert link in maker.get(sheet).content.decode()
    assert maker.get(link).context["form"].pictures == [image]
    final = final_row(image, tier="large")
    review.approve(final, actor=None)
    assert link not in maker.get(sheet).content.decode()
    assert maker.get(link).status_code == 404

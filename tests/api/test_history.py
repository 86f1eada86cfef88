"""The history of a picture over REST is what the admin shows."""

import pytest

from nb_catalog import review
from nb_catalog.core.types import Permission
from nb_catalog.publishing import placements
from tests import factories

pytestmark = pytest.mark.django_db


def test_history_has_family_recipe_decisions_and_publications(api_as):
    factories.scene("marble")
    mug = factories.product()
    draft = factories.image(mug)
    final = factories.image(mug, draft=draft, parent=draft)
    review.approve(final, actor=factories.superuser("ada"), note="Fine.")
    placements.publish(final, slot="hero", actor=None)
    answer = api_as(Permission.GENERATE).get(f"images/{final.pk}/history/")
    assert answer.status_code == 200
    data = answer.data
    assert [(each["id"], each["above"], each["role"]) for each in data["family"]] == [
        (draft.pk, None, "draft"),
        (final.pk, draft.pk, "final"),
    ]
    assert data["family"][1]["published_in"] == ["hero"]
    assert data["recipe"]["prompt"] == final.spec["prompt"]
    assert data["recipe"]["cost"] == {"kind": "free", "reported_usd": "0.00", "open_usd": "0.00"}
    assert data["recipe"]["spec"]["scene"] == "marble"
    [decision] = data["decisions"]
    assert (decision["move"], decision["actor"], decision["note"]) == ("approve", "ada", "Fine.")
    [publication] = data["publications"]
    assert (publication["slot"], publication["until"]) == ("hero", None)
    assert data["similar"]["kind"] == "backgrounds"
    assert data["similar"]["arguments"]["scenes"] == ["marble"]


def test_the_plan_of_one_like_it_is_accepted_as_it_is(api_as):
    factories.scene("marble")
    mug, image = factories.product(), factories.image(factories.product())
    api = api_as(Permission.GENERATE)
    similar = api.get(f"images/{image.pk}/history/").data["similar"]
    body = {"model": "testcatalog.mug", "objects": [mug.pk], **similar["arguments"]}
    answer = api.post("plans/", body)
    assert answer.status_code == 200 and answer.data["summary"]["wanted"] == 1


def test_prompts_costs_and_publications_need_permission(api_as):
    image = factories.image(factories.product(), state="approved")
    placements.publish(image, slot="hero", actor=None)
    data = (
        api_as("nb_catalog.view_productimage", views=False).get(f"images/{image.pk}/history/").data
    )
    assert (data["recipe"]["prompt"], data["recipe"]["calls"], data["recipe"]["cost"]) == (
        "",
        [],
        None,
    )
    assert data["similar"] is None and "renderer" not in data["recipe"]["spec"]
    # Where it is now is part of the picture; since when, and by whom, is not.
    assert data["publications"] == [] and data["family"][0]["published_in"] == ["hero"]
    rights = ("nb_catalog.view_productimage", "nb_catalog.view_placement")
    data = api_as(*rights, views=False).get(f"images/{image.pk}/history/").data
    assert [each["slot"] for each in data["publications"]] == ["hero"]
    assert api_as(views=False).get(f"images/{image.pk}/history/").status_code == 403

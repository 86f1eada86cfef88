"""Experiments over REST."""

import pytest

from nb_catalog.core.types import Permission
from nb_catalog.models import Experiment, ExperimentVote, Run
from nb_catalog.review.votes import sides_of
from tests import factories
from tests.api.conftest import api_as
from tests.experiments.conftest import PROMPT, started, two_scenes

__all__ = ["api_as"]

pytestmark = pytest.mark.django_db(transaction=True)


def wish(product, **changes):
    fields = {
        "model": "testcatalog.mug", "objects": [product.pk], "scenes": ["marble", "granite"],
        "treatment": "painted", "ratio": "4:5",
    }  # fmt: skip
    return {**fields, **changes}


def test_an_experiment_is_planned_and_started_once(api_as, script):
    two_scenes()
    mug, api = factories.product(), api_as(Permission.GENERATE)
    plan = api.post("plans/experiments/", wish(mug))
    assert plan.status_code == 200 and plan.json()["summary"]["wanted"] == 2
    assert float(plan.json()["price_usd"]) > 0 and not Run.objects.exists()
    body = {**wish(mug), "name": "Stone", "key": "k1"}
    made = api.post("experiments/", body)
    assert made.status_code == 201
    shown = made.json()
    assert [each["scene"] for each in shown["arms"]] == ["marble", "granite"]
    assert api.post("experiments/", body).json()["id"] == shown["id"]
    assert Experiment.objects.count() == Run.objects.count() == 1
    assert api.get("experiments/").json()["results"][0]["name"] == "Stone"
    wrong = api.post("experiments/", wish(mug, scenes=["marble"]))
    assert wrong.status_code == 422 and "two scenes" in wrong.content.decode()
    assert api.post("experiments/", wish(mug, sample=500)).status_code == 400


def test_votes_are_blind_and_counted(api_as, script):
    voter, owner = api_as(), api_as(Permission.GENERATE)
    made = started(2, actor=owner.user)
    address = f"experiments/{made.row.pk}"
    answer = voter.get(f"{address}/ballots/")
    for secret in ("marble", "granite", *(each.sha256[:8] for each in made.images.values())):
        assert secret not in answer.content.decode().lower()
    ballots = answer.json()
    assert [each["choice"] for each in ballots["ready"]] == [None, None]
    assert voter.get(f"{address}/result/").status_code == 403
    for each in ballots["ready"]:
        picture = voter.client.get(each["left"])
        assert picture.status_code == 200 and picture["Cache-Control"] == "private, no-store"
        assert "ETag" not in picture
        vote = {"product": each["product"], "choice": "left"}
        assert voter.post(f"{address}/votes/", vote).json() == vote
    lefts = {sides_of(pair, voter=voter.user)[0] for pair in made.pairs}
    assert {row.choice for row in ExperimentVote.objects.all()} == lefts
    # Votes can be changed, so what everyone chose is shown only to those who may close it.
    assert voter.get(f"{address}/result/").status_code == 403
    result = owner.get(f"{address}/result/").json()
    assert result["votes"] == 2 and sum(each["votes"] for each in result["arms"]) == 2
    assert result["winner"] is None and result["share"]["low"] < 0.5 < result["share"]["high"]
    assert voter.post(f"{address}/close/").status_code == 403
    assert owner.post(f"{address}/close/").json()["closed_at"]
    late = voter.post(f"{address}/votes/", vote)
    assert late.status_code == 409 and "closed" in late.json()["detail"]
    assert voter.get(f"{address}/result/").json() == result


def test_voters_are_not_told_what_they_compare_before_it_is_closed(api_as, script):
    voter, owner = api_as(), api_as(Permission.GENERATE)
    made = started(1, actor=owner.user)

    def shown(api):
        [listed] = api.get("experiments/").json()["results"]
        assert listed == api.get(f"experiments/{made.row.pk}/").json()
        return [each["scene"] for each in listed["arms"]], listed["run"]

    known = (["marble", "granite"], made.row.run_id)
    assert (shown(voter), shown(owner)) == (([], None), known)
    owner.post(f"experiments/{made.row.pk}/close/")
    assert shown(voter) == known


@pytest.mark.parametrize(
    "vote",
    [{}, {"product": 10**12, "choice": "left"}, {"choice": "a"}, {"product": "x", "choice": "tie"}],
)
def test_a_vote_that_cannot_be_read_is_refused(api_as, script, vote):
    made, api = started(1), api_as()
    sent = {"product": made.pairs[0].pk, **vote} if "choice" in vote else vote
    assert api.post(f"experiments/{made.row.pk}/votes/", sent).status_code == 400
    assert not ExperimentVote.objects.exists()
    assert api.get(f"experiments/{made.row.pk}/pictures/{made.pairs[0].pk}/b/").status_code == 404
    assert api.get(f"experiments/{made.row.pk}/pictures/999999/left/").status_code == 404


def test_prompts_are_shown_and_saved_with_their_permissions(api_as, script):
    factories.scene("marble")
    made = started(1, scenes=["marble"], prompt=PROMPT)
    address = f"experiments/{made.row.pk}/"
    assert PROMPT not in api_as().get(address).content.decode()
    permissions = ("nb_catalog.change_scene", "nb_catalog.change_experiment")
    keeper = api_as(Permission.GENERATE, *permissions)
    assert PROMPT in keeper.get(address).content.decode()
    assert api_as(Permission.GENERATE).post(f"{address}save-prompt/").status_code == 403
    assert keeper.post(f"{address}save-prompt/").json() == {"scene": "marble", "version": 2}
    assert keeper.post(f"{address}save-prompt/").status_code == 409


def test_products_that_may_not_be_seen_are_not_voted_on(api_as, script):
    made = started(1)
    api = api_as("nb_catalog.view_productimage", views=False)
    assert api.get("experiments/").json()["results"] == []
    assert api.get(f"experiments/{made.row.pk}/ballots/").status_code == 403
    planner = api_as(Permission.GENERATE, views=False)
    assert planner.post("plans/experiments/", wish(made.products[0])).status_code == 403

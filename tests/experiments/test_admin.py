"""Experiments in the admin: plan with price, blind vote, result, and what becomes of the winner."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nb_catalog import review
from nb_catalog.core.types import Permission
from nb_catalog.models import Experiment, ExperimentVote, ProductImage, Run, RunNotice
from nb_catalog.review.votes import sides_of
from tests import factories
from tests.experiments.conftest import PROMPT, scene, started, two_scenes

pytestmark = pytest.mark.django_db(transaction=True)

MUGS = "testcatalog.view_mug"


def url(name, *args, model="experiment"):
    return reverse(f"admin:nb_catalog_{model}_{name}", args=args)


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


@pytest.fixture
def owner(client):
    user = factories.staff(Permission.GENERATE, MUGS, name="owner")
    client.force_login(user)
    client.user = user
    return client


@pytest.fixture
def voter(client):
    user = factories.staff(MUGS, name="voter")
    client.force_login(user)
    client.user = user
    return client


def posted(**changes):
    fields = {
        "model": "testcatalog.mug", "sample": "2", "seed": "7", "scene_a": "marble", "scene_b": "granite",
        "prompt": "", "ratio": "4:5", "tier": "draft", "treatment": "painted", "name": "Stone", "nonce": "n",
        "budget_usd": "", "start": "1",
    }  # fmt: skip
    return {**fields, **changes}


def test_an_experiment_is_confirmed_at_its_price_and_started_once(owner, script):
    two_scenes()
    for _ in range(3):
        factories.product()
    page = text_of(owner.get(url("add")))
    assert "Compare two scenes or prompts" in page and "mugs" in page and "up to $0." in page
    shown = text_of(owner.post(url("plan"), posted()))
    assert "4 pictures to generate" in shown
    asked = owner.post(url("add"), posted())
    assert "Spend up to" in text_of(asked) and not Run.objects.exists()
    agreed = {
        **dict(asked.context["hidden_fields"]),
        "agreed_usd": asked.context["agreed"],
        "start": "1",
    }
    done = owner.post(url("add"), agreed)
    experiment = Experiment.objects.get()
    assert done["Location"] == url("vote", experiment.pk)
    assert (experiment.name, experiment.actor, experiment.run.jobs.count()) == (
        "Stone",
        owner.user,
        4,
    )
    again = owner.post(url("add"), agreed)
    assert again["Location"] == done["Location"] and Run.objects.count() == 1
    waits = text_of(owner.get(done["Location"]))
    assert "The pictures of 2 products are being made" in waits


def test_pictures_that_are_all_there_cost_nothing_and_need_no_confirmation(owner, script):
    made = started(2)
    made.row.run.jobs.update(state="succeeded", live_key=None)
    done = owner.post(url("add"), posted(sample="100"))
    experiment = Experiment.objects.exclude(pk=made.row.pk).get()
    assert done["Location"] == url("vote", experiment.pk)
    assert experiment.run.jobs.count() == 0 and experiment.run.estimate_microusd == 0
    ballots = review.ballots_of(experiment, voter=owner.user)
    assert len(ballots.ready) == 2


def test_an_e_mail_is_sent_at_the_end_if_the_box_was_ticked(owner, script, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "NOTIFY": {"EMAIL": "ask"}}
    owner.user.email = "ada@shop.example"
    owner.user.save()
    two_scenes()
    factories.product()
    asked = owner.post(url("add"), posted(notify="1"))
    agreed = {**dict(asked.context["hidden_fields"]), "agreed_usd": asked.context["agreed"]}
    owner.post(url("add"), {**agreed, "start": "1"})
    run = Experiment.objects.get().run
    notice = RunNotice.objects.get()
    assert notice.run == run
    assert notice.url == f"http://testserver{url('change', run.pk, model='run')}"
    owner.post(url("add"), posted(nonce="m", name="Quiet", agreed_usd="100"))
    assert Experiment.objects.count() == 2 and RunNotice.objects.count() == 1


def test_a_prompt_begins_with_that_of_the_scene(owner, script):
    two_scenes()
    factories.product()
    page = owner.post(url("add"), {**posted(), "load": "1"})
    assert page.context["form"]["prompt"].value() == scene("marble").prompt
    assert page.context["form"]["scene_b"].value() == ""
    change = reverse("admin:nb_catalog_scene_change", args=[scene("granite").pk])
    assert "experiment/add/?scene=granite" in owner.get(change).content.decode()
    chosen = owner.get(url("add"), {"scene": "granite"}).context["form"]
    assert (chosen["scene_a"].value(), chosen["prompt"].value()) == (
        "granite",
        scene("granite").prompt,
    )
    unknown = owner.get(url("add"), {"scene": "none"}).context["form"]
    assert not unknown["prompt"].value()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scene_b": "marble"}, "named twice"),
        ({"scene_b": "", "prompt": ""}, "compares two scenes"),
        ({"sample": ""}, "Products to draw: This field is required"),
        ({"sample": "1000"}, "less than or equal to 100"),
        ({"seed": "-1"}, "greater than or equal to 0"),
        ({"model": "auth.user"}, "auth.user is not one of the available choices"),
        (
            {"tier": "sketch", "scene_b": "", "prompt": "Oak.", "treatment": "locked"},
            "does not read prompts",
        ),
    ],
)
def test_what_is_not_possible_is_said_in_the_plan(owner, script, changes, message):
    two_scenes()
    factories.product()
    assert message in text_of(owner.post(url("plan"), posted(**changes)))
    owner.post(url("add"), posted(**changes))
    assert not Experiment.objects.exists()


def test_selected_products_are_compared_by_an_action(owner, script):
    two_scenes()
    chosen = [factories.product(), factories.product()]
    factories.product()
    owner.user.user_permissions.add(
        *factories.staff("testcatalog.change_mug", views=False).user_permissions.all()
    )
    body = {"action": "compare_catalog_scenes", "_selected_action": [each.pk for each in chosen]}
    answer = owner.post(reverse("admin:testcatalog_mug_changelist"), body)
    page = owner.get(answer["Location"])
    assert page.status_code == 200 and "2 mugs" in text_of(page)
    token = page.context["chosen"].token
    fields = posted(selection=token, sample="")
    del fields["model"]
    assert "4 pictures to generate" in text_of(owner.post(url("plan"), fields))


@pytest.mark.parametrize("edited", [False, True])
def test_the_page_to_vote_on_gives_nothing_away(voter, script, edited):
    """Neither in what is read nor in what is behind it: names, keys, hashes, numbers, files, sizes."""
    two_scenes()
    arms = {"scenes": ["marble"], "prompt": PROMPT} if edited else {}
    made = started(4, actor=factories.staff(Permission.GENERATE), **arms)
    for image in made.images.values():
        # No number of a picture is also a part of a token or a price by chance.
        ProductImage.objects.filter(pk=image.pk).update(job=None)
    pages = [voter.get(url("vote", made.row.pk))]
    pages += [voter.get(url("vote", made.row.pk), {"product": pair.pk}) for pair in made.pairs]
    for page in pages:
        # A token is random letters, and has every short word at some time.
        html = re.sub(r'(csrfmiddlewaretoken" value=)"\w+"', r"\1", page.content.decode())
        assert "The left one" in html
        for word in ("arble", "ranite", "prompt", "oak", "scene/", "productimage/", "run/"):
            content = html.split('id="content-main"')[1].split("<footer")[0]
            assert word not in content, word
        for image in made.images.values():
            for secret in (image.sha256, image.sha256[:8], image.fingerprint[:8], image.file.name):
                assert secret not in html
        assert re.findall(r"/vote/\d+/(\w+)/", html) == ["left", "right"]
        assert not re.search(r"<img[^>]*(width|height)=[^>]*/vote/", html)


def test_a_picture_is_served_under_an_address_without_its_hash(voter, script):
    made = started(2)
    for pair in made.pairs:
        left, _right = sides_of(pair, voter=voter.user)
        files = {}
        for side in ("left", "right"):
            answer = voter.get(url("picture", made.row.pk, pair.pk, side))
            assert answer["Content-Type"] == "image/webp" and answer.status_code == 200
            told = " ".join(f"{name}: {value}" for name, value in answer.items())
            for image in made.images.values():
                assert image.sha256[:8] not in told and str(image.file.name) not in told
            assert "no-store" in answer["Cache-Control"]
            files[side] = answer.content
        assert files["left"] == review.votes.ballot_file(made.images[pair.pk, left])
        assert files["left"] != files["right"]
    for path in (
        url("picture", made.row.pk, pair.pk, "a"),
        url("picture", started(1).row.pk, pair.pk, "left"),
    ):
        assert voter.get(path).status_code == 404


def test_votes_are_noted_changed_and_lead_to_the_next_product(voter, script):
    made = started(2, actor=factories.staff())
    address = url("vote", made.row.pk)
    first = voter.get(address).context["ballot"]
    assert voter.post(address, {"product": first.pair.pk, "choice": "left"})["Location"] == address
    assert made.images[first.pair.pk, ExperimentVote.objects.get().choice] == first.left
    second = voter.get(address).context["ballot"]
    assert second.pair != first.pair
    # Back to the first, and changed.
    page = voter.get(address, {"product": first.pair.pk})
    assert (
        page.context["ballot"].choice == "left" and 'aria-pressed="true"' in page.content.decode()
    )
    assert "You have voted on 1 of 2 products" in text_of(
        page
    ) and "Show the result" not in text_of(page)
    voter.post(address, {"product": first.pair.pk, "choice": "tie"})
    assert ExperimentVote.objects.get().choice == "tie"
    # The result is hidden as long as votes can be changed.
    result = url("result", made.row.pk)
    assert voter.get(result)["Location"] == address
    voter.post(address, {"product": second.pair.pk, "choice": "right"})
    done = text_of(voter.get(address))
    assert "You have voted on every product" in done and "Show the result" not in done
    assert "You see the result once the vote is closed." in done
    assert voter.get(result)["Location"] == address
    assert "Marble or Granite" not in text_of(voter.get(url("changelist")))
    review.close_experiment(made.row)
    assert voter.get(result).status_code == 200
    assert "Marble or Granite" in text_of(voter.get(url("changelist")))
    voter.post(address, {"product": first.pair.pk, "choice": "left"})
    assert ExperimentVote.objects.filter(choice="tie").count() == 1
    assert "This experiment is closed" in text_of(voter.get(address))


@pytest.mark.parametrize(
    "body", [{}, {"product": "x"}, {"choice": "left"}, {"product": "9" * 30, "choice": "left"}]
)
def test_a_vote_that_cannot_be_read_is_not_found(voter, script, body):
    made = started(1)
    assert voter.post(url("vote", made.row.pk), body).status_code == 404
    body = {"product": started(1).pairs[0].pk, "choice": "left"}
    assert voter.post(url("vote", made.row.pk), body).status_code == 404
    assert not ExperimentVote.objects.exists()


def test_the_result_names_the_winner_with_its_certainty(owner, script):
    made = started(8, actor=owner.user, lacks=[(7, "b")])
    made.row.run.jobs.exclude(state="refused").update(state="succeeded", live_key=None)
    for pair in made.pairs[:7]:
        side = ("left", "right")[sides_of(pair, voter=owner.user).index("b")]
        owner.post(url("vote", made.row.pk), {"product": pair.pk, "choice": side})
    shown = text_of(owner.get(url("result", made.row.pk)))
    assert "“Granite” is preferred. Between 65 and 100 % of products" in shown
    assert "Skipped: a picture is missing 1" in shown and "owner 0 7 0" in shown
    assert "after seeing this is not blind" in shown
    closed = owner.post(url("close", made.row.pk), follow=True)
    assert "Closed. Everyone" in text_of(closed) and "Close the vote" not in text_of(closed)
    listed = text_of(owner.get(url("changelist")))
    assert "Which one" in listed and "Marble or Granite" in listed and "closed" in listed
    assert owner.get(url("change", made.row.pk))["Location"] == url("result", made.row.pk)


def test_no_difference_is_said_to_be_none(owner, script):
    made = started(2, actor=owner.user)
    assert "No votes for either yet" in text_of(owner.get(url("result", made.row.pk)))
    pair = made.pairs[0]
    owner.post(url("vote", made.row.pk), {"product": pair.pk, "choice": "left"})
    assert "No difference shown" in text_of(owner.get(url("result", made.row.pk)))


def test_the_winner_leads_to_the_whole_catalog(owner, script):
    made = started(2, actor=owner.user)
    factories.product()
    answer = owner.post(url("use", made.row.pk), {"arm": "b"})
    page = owner.get(answer["Location"])
    assert "3 mugs" in text_of(page)
    form = page.context["form"]
    assert (form["scenes"].value(), form["ratio"].value(), form["treatment"].value()) == (
        ["granite"], "4:5", "painted",
    )  # fmt: skip


def test_an_edited_prompt_is_saved_by_those_who_may_change_scenes(client, owner, script):
    factories.scene("marble")
    made = started(2, actor=owner.user, scenes=["marble"], prompt=PROMPT)
    shown = owner.get(url("result", made.row.pk))
    assert "takes the permission to change scenes" in text_of(shown) and PROMPT in text_of(shown)
    assert owner.post(url("use", made.row.pk), {"arm": "b"}).status_code == 403
    assert scene("marble").version == 1
    # The saved prompt takes no permission more.
    assert owner.post(url("use", made.row.pk), {"arm": "a"}).status_code == 302
    keeper = factories.staff(Permission.GENERATE, MUGS, "nb_catalog.change_scene")
    client.force_login(keeper)
    assert "takes the permission" not in text_of(client.get(url("vote", made.row.pk)))
    answer = client.post(url("use", made.row.pk), {"arm": "b"}, follow=True)
    assert "Saved as version 2 of the scene “Marble”" in text_of(answer)
    assert scene("marble").prompt == PROMPT
    # Used again, it is saved already.
    client.post(url("use", made.row.pk), {"arm": "b"})
    assert scene("marble").version == 2


def test_a_scene_that_was_changed_meanwhile_is_not_overwritten(client, owner, script):
    factories.scene("marble")
    made = started(1, scenes=["marble"], prompt=PROMPT)
    row = scene("marble")
    row.prompt = "Someone else's words."
    row.save()
    client.force_login(factories.superuser())
    answer = client.post(url("use", made.row.pk), {"arm": "b"}, follow=True)
    assert "was changed since" in text_of(answer)
    assert scene("marble").prompt == "Someone else's words."


def test_who_may_not_sees_nothing_and_does_nothing(client, script):
    made = started(1, actor=factories.staff(Permission.GENERATE))
    pages = [url("vote", made.row.pk), url("result", made.row.pk),
             url("picture", made.row.pk, made.pairs[0].pk, "left"), url("change", made.row.pk)]  # fmt: skip
    for user in (factories.staff(MUGS, views=False), factories.staff()):
        client.force_login(user)
        assert {client.get(page).status_code for page in pages} == {403}
        assert "Which one" not in client.get(url("changelist")).content.decode()
    client.force_login(factories.staff(MUGS))
    assert client.get(url("add")).status_code == 403
    assert client.post(url("plan"), posted()).status_code == 403
    for name in ("close", "use"):
        assert client.post(url(name, made.row.pk)).status_code == 403
    # Of others, experiments are closed by those who may change them.
    client.force_login(factories.staff(MUGS, Permission.GENERATE))
    assert client.post(url("close", made.row.pk)).status_code == 403
    client.force_login(factories.staff(MUGS, Permission.GENERATE, "nb_catalog.change_experiment"))
    assert client.post(url("close", made.row.pk)).status_code == 302
    made.row.refresh_from_db()
    assert made.row.closed_at is not None


def test_a_list_of_any_length_and_a_ballot_of_any_take_as_many_queries(owner, script):
    def queries(path):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert owner.get(path).status_code == 200
        return len(captured)

    small, large = started(1, actor=owner.user), started(9, actor=owner.user)
    owner.get(url("changelist"))
    for name in ("vote", "result"):
        assert queries(url(name, small.row.pk)) == queries(url(name, large.row.pk))
    before = queries(url("changelist"))
    started(3, actor=owner.user)
    assert queries(url("changelist")) == before

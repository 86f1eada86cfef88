"""The admin and the API allow the same people the same things: every user, every action, both faces."""

import json
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nb_catalog import webhooks
from nb_catalog.core.permissions import REQUIRED, Action
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.models import ProviderCall, ProviderPause
from nb_catalog.models.billing import CallOutcome
from tests import factories
from tests.api.conftest import BASE

SECRET = "only those may read who may generate"
JSON = {"content_type": "application/json"}

USERS = {
    "nobody": (),
    "viewer": factories.VIEWS,
    "shopkeeper": ("testcatalog.view_mug",),
    "changer": tuple(each.replace("view_", "change_") for each in factories.VIEWS),
    "generate alone": (Permission.GENERATE,),
    "generator": (Permission.GENERATE, "testcatalog.view_mug"),
    "generator who changes products": (Permission.GENERATE, "testcatalog.change_mug"),
    "generator of other products": (Permission.GENERATE, "testcatalog.view_vase"),
    "keeper of runs": (Permission.GENERATE, "nb_catalog.change_run"),
    "keeper of experiments": (
        *(Permission.GENERATE, "nb_catalog.view_productimage", "testcatalog.view_mug"),
        "nb_catalog.change_experiment",
    ),
    "owner of an experiment": (
        *(Permission.GENERATE, "nb_catalog.view_productimage", "testcatalog.view_mug"),
    ),
    "generator with pictures": (Permission.GENERATE, "nb_catalog.view_productimage"),
    "reviewer alone": (Permission.REVIEW,),
    "reviewer": (Permission.REVIEW, "nb_catalog.view_productimage"),
    "reviewer who changes pictures": (Permission.REVIEW, "nb_catalog.change_productimage"),
    "publisher alone": (Permission.PUBLISH,),
    "publisher of pictures": (Permission.PUBLISH, "nb_catalog.view_productimage"),
    "publisher of places": (Permission.PUBLISH, "nb_catalog.view_placement"),
    "viewer of cut-outs": ("nb_catalog.view_photocutout", "testcatalog.view_mug"),
    "reviewer of cut-outs": (
        *(Permission.REVIEW, "nb_catalog.change_photocutout", "testcatalog.view_mug"),
    ),
    "reviewer of cut-outs of other products": (
        *(Permission.REVIEW, "nb_catalog.view_photocutout", "testcatalog.view_vase"),
    ),
    "generator with cut-outs": (
        *(Permission.GENERATE, "nb_catalog.view_photocutout", "testcatalog.view_mug"),
    ),
    "translator": ("nb_catalog.change_copydeck",),
    "reader of texts": ("nb_catalog.view_copydeck",),
    "everything": (
        *(*Permission, *factories.VIEWS, *factories.VIEW_PRODUCTS),
        *("nb_catalog.change_run", "nb_catalog.change_copydeck"),
        "nb_catalog.change_experiment",
        *(
            f"nb_catalog.{verb}_{name}"
            for name in ("scene", "textlayout", "copydeck")
            for verb in ("add", "change", "delete")
        ),
        *("nb_catalog.delete_providerpause", "nb_catalog.view_providerpause"),
        *("nb_catalog.view_providerbatch", "nb_catalog.view_providercall"),
        *(
            "nb_catalog.view_dailybudget",
            "nb_catalog.add_webhookendpoint",
            "nb_catalog.change_webhookendpoint",
        ),
    ),
    "designer": tuple(
        f"nb_catalog.{verb}_{name}"
        for name in ("scene", "textlayout", "copydeck")
        for verb in ("add", "change", "delete")
    ),
    "bookkeeper": ("nb_catalog.view_providercall", Permission.RECONCILE),
    "reconciler alone": (Permission.RECONCILE,),
    "operator": (
        *("nb_catalog.view_providerpause", "nb_catalog.delete_providerpause"),
        *("nb_catalog.view_providerbatch", "nb_catalog.view_dailybudget"),
    ),
    "keeper of webhooks": ("nb_catalog.change_webhookendpoint",),
}


class Face(NamedTuple):
    """An address, what is sent there, and what the page must hold for the action to be allowed."""

    address: str
    post: dict | None = None
    holds: str = ""
    verb: str = ""


class Rows:
    """One of each, made once; the actions are refused or do something, and both is an answer."""

    def __init__(self):
        factories.scene("marble", prompt=f"Marble that {SECRET}.")
        factories.layout()
        self.deck = factories.deck()
        self.mug = factories.product()
        self.run = factories.run(actor=factories.staff(), budget_usd="1")
        self.own = factories.run(budget_usd="1")
        self.job = factories.job(self.mug, of=self.run)
        self.image = factories.image(self.mug, state=ImageState.PENDING)
        factories.published(self.mug)
        self.cutout = factories.cutout(self.mug)
        self.experiment = factories.experiment(self.mug, actor=factories.staff())
        self.own_experiment = factories.experiment(self.mug)
        self.call = ProviderCall.objects.create(
            job=self.job, run=self.run, provider="gemini", model="m", epoch=1, started_at=timezone.now(),
            outcome=CallOutcome.UNKNOWN,
        )  # fmt: skip
        self.endpoint, _secret = webhooks.create(url="https://shop.example/hook")
        self.delivery = webhooks.send_test(self.endpoint)

    def faces(self):
        """(the action, its page in the admin, its endpoint)"""
        about = {"model": "testcatalog.mug", "objects": [self.mug.pk]}
        one = {"model": "testcatalog.mug", "key": self.mug.pk}
        image, run, own = f"images/{self.image.pk}", f"runs/{self.run.pk}", f"runs/{self.own.pk}"
        scenes, texts = {**about, "scenes": ["marble"]}, {**about, "layouts": ["banner"]}
        scene = factories.scene("marble")

        def page(name, *args):
            return reverse(f"admin:nb_catalog_{name}", args=args)

        def decide(verb):
            return Face(page("productimage_decide"), {"decision": f"{verb}:{self.image.pk}"})

        for action, name, path in (
            (Action.VIEW_RUNS, "run", "runs/"),
            (Action.VIEW_JOBS, "imagejob", "jobs/"),
            (Action.VIEW_IMAGES, "productimage", "images/"),
            (Action.VIEW_PLACEMENTS, "placement", "placements/"),
            (Action.VIEW_PLACEMENTS, "gallerydelivery", "gallery-deliveries/"),
            (Action.VIEW_SCENES, "scene", "scenes/"),
            (Action.VIEW_LAYOUTS, "textlayout", "layouts/"),
            (Action.VIEW_DECKS, "copydeck", "decks/"),
            (Action.VIEW_CUTOUTS, "photocutout", "cutouts/"),
            (Action.VIEW_WEBHOOKS, "webhookendpoint", "webhooks/"),
            (Action.VIEW_PAUSES, "providerpause", "pauses/"),
            (Action.VIEW_BATCHES, "providerbatch", "batches/"),
            (Action.VIEW_CALLS, "providercall", "calls/"),
            (Action.VIEW_SPENDING, "dailybudget", "spending/"),
            (Action.VIEW_WEBHOOKS, "webhookdelivery", "webhook-deliveries/"),
        ):
            yield action, Face(page(f"{name}_changelist")), Face(path)
        yield from self.faces_of_designs(page)
        yield from self.faces_of_providers(page)
        hook, sent = self.endpoint.pk, self.delivery.pk
        url = {"url": "https://shop.example/hook"}
        yield Action.CREATE_WEBHOOK, Face(page("webhookendpoint_add"), url), Face("webhooks/", url)
        for verb in ("rotate", "test"):
            yield (
                Action.CHANGE_WEBHOOK,
                Face(page(f"webhookendpoint_{verb}", hook), {}),
                Face(f"webhooks/{hook}/{verb}/", {}),
            )
        yield (
            Action.CHANGE_WEBHOOK,
            Face(page("webhookdelivery_resend", sent), {}),
            Face("webhook-deliveries/resend/", {"deliveries": [sent]}),
        )
        for action, path in ((Action.PLAN, "plans/"), (Action.START_RUN, "runs/")):
            yield action, Face(page("run_generate"), one), Face(path, scenes)
            yield action, Face(page("run_texts"), one), Face(f"{path}texts/", texts)
        for action, verb in ((Action.CANCEL_RUN, "cancel"), (Action.RETRY_RUN, "retry")):
            yield (
                action,
                Face(page(f"run_{verb}", self.run.pk), {}),
                Face(f"{run}/{verb}/", {}),
            )
        for row, path in ((self.run, run), (self.own, own)):
            budget = {"budget_usd": "9"}
            yield (
                Action.RESUME_RUN,
                Face(page("run_resume", row.pk), budget),
                Face(f"{path}/resume/", budget),
            )
        for verb in ("approve", "reject", "reconsider", "retire"):
            yield Action.REVIEW, decide(verb), Face(f"{image}/{verb}/", {})
        text = {"decision": f"comment:{self.image.pk}", f"comment-{self.image.pk}": "Fine."}
        yield (
            Action.COMMENT,
            Face(page("productimage_decide"), text),
            Face(f"{image}/comments/", {"text": "Fine."}),
        )
        yield Action.PUBLISH, decide("publish"), Face(f"{image}/publish/", {"slot": "hero"})
        yield Action.REPLACE_TEXT, decide("set_text"), Face(f"{image}/set-text/", {})
        yield Action.READ_TEXT, decide("read_text"), Face(f"{image}/read-text/", {})
        yield Action.COMPARE, decide("compare"), Face(f"{image}/compare/", {})
        approved = factories.image(self.mug, state=ImageState.APPROVED).pk
        exported = Face(page("productimage_export") + f"?images={approved}")
        yield Action.EXPORT, exported, Face("exports/", {"images": [approved]})
        yield Action.EXPORT, exported, Face("exports/preview/", {"images": [approved]})
        finals = Face(page("run_finals"), {"images": str(self.image.pk)})
        yield Action.PLAN_FINALS, finals, Face("plans/finals/", {"images": [self.image.pk]})
        yield Action.MAKE_FINAL, finals, Face("runs/finals/", {"images": [self.image.pk]})
        yield Action.PUBLISH, decide("publish_final"), Face(f"{image}/publish-final/", {})
        for name, path in (("ask", "edit"), ("adjust", "adjust"), ("texts", "move-texts")):
            face = Face(page(f"productimage_edit_{name}", self.image.pk), {})
            action = Action.EDIT if name == "ask" else Action.ADJUST
            yield action, face, Face(f"{image}/{path}/", {})
        alts = page("productimage_alt", self.image.pk)
        yield Action.REVIEW, Face(alts, {}), Face(f"{image}/alt/", {"texts": {}})
        yield Action.VIEW_IMAGES, Face(alts), Face(f"{image}/alt/")
        digest = self.image.sha256[:16]
        picture = Face(page("productimage_preview", self.image.pk, digest, 320))
        yield Action.VIEW_IMAGES, picture, Face(f"{image}/thumbnail.webp")
        filters = Face(page("productimage_filters"), {"name": "Marble", "back": "scene=marble"})
        saved = {"name": "Marble", "filter": {"scene": "marble"}}
        yield Action.VIEW_IMAGES, filters, Face("review-filters/", saved)
        proposals = page("productimage_propose_alts", self.image.pk)
        yield Action.PROPOSE_ALTS, Face(proposals, {}), Face(f"{image}/alt/propose/", {})
        for verb in ("withdraw", "roll_back"):
            here, there = (factories.published(self.mug, position=n + (verb == "withdraw") * 2).pk
                           for n in (1, 2))  # fmt: skip
            endpoint = Face(f"placements/{there}/{verb.replace('_', '-')}/", {})
            yield Action.UNPUBLISH, Face(page(f"placement_{verb}", here), {}), endpoint
        here, there = (factories.gallery_delivery(self.mug, position=n).pk for n in (1, 2))
        decision = {"decision": "leave"}
        yield (
            Action.UNPUBLISH,
            Face(page("gallerydelivery_decide", here, "leave"), {}),
            Face(f"gallery-deliveries/{there}/decide/", decision),
        )
        yield from self.faces_of_cutouts(page)
        files = page("copydeck_files", self.deck.pk)
        yield Action.WRITE_TEXTS, Face(files, {}), Face("decks/autumn/texts/", {"texts": {}})
        yield Action.WRITE_TEXTS, Face(files, {}), Face("decks/autumn/accept/", {"roles": {}})
        yield (
            Action.READ_PROMPTS,
            Face(page("productimage_change", self.image.pk), holds=SECRET),
            Face(f"{image}/", holds=SECRET),
        )
        yield (
            Action.READ_PROMPTS,
            Face(page("productimage_change", self.image.pk), holds=SECRET),
            Face(f"{image}/history/", holds=SECRET),
        )
        yield (
            Action.READ_SCENE_PROMPTS,
            Face(page("scene_change", scene.pk), holds=SECRET),
            Face("scenes/marble/", holds=SECRET),
        )
        # Last: one of them saves another prompt.
        yield from self.faces_of_experiments(page)

    def faces_of_designs(self, page):
        for name, path, create, change, delete in (
            ("scene", "scenes", Action.CREATE_SCENES, Action.CHANGE_SCENES, Action.DELETE_SCENES),
            ("textlayout", "layouts", Action.CREATE_LAYOUTS, Action.CHANGE_LAYOUTS,
             Action.DELETE_LAYOUTS),
            ("copydeck", "decks", Action.CREATE_DECKS, Action.WRITE_TEXTS, Action.DELETE_DECKS),
        ):  # fmt: skip
            rows = {
                "scene": factories.scene,
                "textlayout": factories.layout,
                "copydeck": factories.deck,
            }
            here, there, kept = (rows[name](f"{name}-{n}") for n in ("here", "there", "kept"))
            yield create, Face(page(f"{name}_add"), {}), Face(f"{path}/", {})
            yield (
                change,
                Face(page(f"{name}_change", kept.pk), {}),
                Face(f"{path}/{kept.key}/", {}, verb="patch"),
            )
            yield (
                delete,
                Face(page(f"{name}_delete", here.pk), {"post": "yes"}),
                Face(f"{path}/{there.key}/", verb="delete"),
            )
        yield Action.READ_SCENE_PROMPTS, Face(page("scene_export")), Face("scenes/file/")
        for model, resource, content, view, preview in (
            ("scene", "scenes", "renderer", Action.VIEW_SCENE_PICTURES, Action.PREVIEW_SCENES),
            (
                "textlayout",
                "layouts",
                "content",
                Action.VIEW_LAYOUT_PICTURES,
                Action.PREVIEW_LAYOUTS,
            ),
        ):
            row = rows[model](f"{model}-kept")
            drawn = getattr(row, content)
            # Of an older digest: it leads on to the current picture.
            picture = Face(page(f"{model}_thumbnail", row.pk, "0"))
            yield view, picture, Face(f"{resource}/{row.key}/thumbnail.webp")
            shown = Face(f"{page(f'{model}_preview')}?{urlencode({'content': json.dumps(drawn)})}")
            yield preview, shown, Face(f"{resource}/preview/", {content: drawn})
        deck = f"{path}/{kept.key}"
        yield (
            Action.VIEW_DECKS,
            Face(page("copydeck_table", kept.pk)),
            Face(f"{deck}/file/?type=csv"),
        )
        yield (
            Action.PROPOSE_TEXTS,
            Face(page("copydeck_propose", kept.pk), {"locale": "de"}),
            Face(f"{deck}/propose/", {"locales": ["de"]}),
        )

    def faces_of_providers(self, page):
        yield (
            Action.VIEW_STATUS,
            Face(reverse("admin:app_list", args=["nb_catalog"]), holds="Being made"),
            Face("status/"),
        )
        yield Action.VIEW_SPENDING, Face(page("dailybudget_report")), Face("spending/report/")
        yield (
            Action.RECONCILE,
            Face(page("providercall_changelist"), holds='value="not_billed"'),
            Face("calls/settle/", {"calls": [self.call.pk], "billed": False}),
        )
        here, there = (
            ProviderPause.objects.create(
                provider="gemini", model=model, until=timezone.now() + timedelta(days=1)
            )
            for model in ("one", "other")
        )
        yield (
            Action.RESUME_PROVIDER,
            Face(page("providerpause_delete", here.pk), {"post": "yes"}),
            Face(f"pauses/{there.pk}/", verb="delete"),
        )

    def faces_of_experiments(self, page):
        about = {"model": "testcatalog.mug", "objects": [self.mug.pk], "scenes": ["marble"]}
        for action, path in (
            (Action.PLAN_EXPERIMENT, "plans/experiments/"),
            (Action.START_EXPERIMENT, "experiments/"),
        ):
            yield (
                action,
                Face(page("experiment_add"), holds='value="testcatalog.mug"'),
                Face(path, {**about, "prompt": "Oak."}),
            )
        yield Action.VOTE, Face(page("experiment_changelist")), Face("experiments/")
        for row in (self.experiment, self.own_experiment):
            pair = row.pairs.get()
            vote = {"product": pair.pk, "choice": "left"}
            address = f"experiments/{row.pk}"
            yield (
                Action.VOTE,
                Face(page("experiment_vote", row.pk), vote),
                Face(f"{address}/votes/", vote),
            )
            yield (
                Action.SAVE_PROMPT,
                Face(page("experiment_use", row.pk), {"arm": "b"}),
                Face(f"{address}/save-prompt/", {}),
            )
            yield (
                Action.CLOSE_EXPERIMENT,
                Face(page("experiment_close", row.pk), {}),
                Face(f"{address}/close/", {}),
            )

    def faces_of_cutouts(self, page):
        one = f"cutouts/{self.cutout.pk}"
        named = {"cutouts": [self.cutout.pk]}
        yield (
            Action.VIEW_CUTOUTS,
            Face(page("photocutout_change", self.cutout.pk)),
            Face(f"{one}/"),
        )
        yield (
            Action.VIEW_CUTOUTS,
            Face(page("photocutout_mask", self.cutout.pk, "a")),
            Face(f"{one}/mask.png"),
        )
        for verb, path, more in (
            ("confirm", "confirm", {}),
            ("lifestyle", "kind", {"kind": "packshot"}),
            ("unusable", "refuse", {}),
            ("again", "cut-again", {}),
        ):
            action = Action.CUT_AGAIN if verb == "again" else Action.DECIDE_CUTOUTS
            decision = {"decision": f"{verb}:{self.cutout.pk}"}
            yield (
                action,
                Face(page("photocutout_decide"), decision),
                Face(f"cutouts/{path}/", {**named, **more}),
            )
        yield (
            Action.DECIDE_CUTOUTS,
            Face(page("photocutout_solve", self.cutout.pk), {}),
            Face(f"{one}/solve/", {"strokes": []}),
        )
        about = {"model": "testcatalog.mug", "objects": [self.mug.pk]}
        yield (
            Action.REQUEST_CUTOUTS,
            Face(reverse("admin:testcatalog_mug_changelist"), holds='value="cut_out_photos"'),
            Face("cutouts/request/", about),
        )


def allows(client, face, *, base="", **options):
    if face.verb:
        answer = getattr(client, face.verb)(base + face.address, face.post or {}, **options)
    elif face.post is None:
        answer = client.get(base + face.address)
    else:
        answer = client.post(base + face.address, face.post, **options)
    # Django has no page of an app for those who may see nothing of it.
    known = (401, 405, 500) if face.holds else (401, 404, 405, 500)
    assert answer.status_code not in known, (face, answer.content[:300])
    allowed = answer.status_code not in (403, 404)
    if answer.streaming:
        # Read to its end, the client closes it; close() would close the database, too.
        list(answer)
    return allowed and (not face.holds or face.holds in answer.content.decode())


@pytest.fixture
def rows(db):
    return Rows()


# Each of them was allowed something by one of the two faces alone.
TELLING = {
    "generate alone", "generator", "reviewer alone", "changer", "everything", "reviewer of cut-outs",
    "reviewer of cut-outs of other products", "owner of an experiment",
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=[] if each in TELLING else pytest.mark.matrix) for each in USERS],
)
def test_the_admin_and_the_api_allow_the_same(rows, name):
    user = factories.staff(*USERS[name], views=False)
    for own in (rows.own, rows.own_experiment):
        type(own).objects.filter(pk=own.pk).update(actor=user)
    client = Client()
    client.force_login(user)
    told, compared = {}, set()
    for action, page, endpoint in rows.faces():
        pair = (allows(client, page), allows(client, endpoint, base=BASE, **JSON))
        told[action, endpoint.address] = pair
        compared.add(action)
    differ = {what: pair for what, pair in told.items() if len({*pair}) > 1}
    assert not differ, "(admin, API)"
    # Who may do what to series is tested in ``test_series`` of both, who deletes webhooks in
    # ``test_webhooks``.
    assert compared == set(REQUIRED) - {
        Action.VIEW_SERIES, Action.CREATE_SERIES, Action.CHANGE_SERIES, Action.DELETE_SERIES,
        Action.DELETE_WEBHOOK,
    }  # fmt: skip
    assert name != "everything" or all(allowed for pair in told.values() for allowed in pair)


LISTS = {
    "runs/", "jobs/", "images/", "placements/", "scenes/", "layouts/", "decks/", "cutouts/",
    "series/", "experiments/",
}  # fmt: skip
ALLOWED = {
    "nobody": set(),
    "viewer": LISTS,
    "changer": LISTS,
    "generate alone": {"runs/"},
    "reviewer alone": set(),
    "publisher alone": set(),
    "viewer of cut-outs": {"cutouts/"},
    "reviewer of cut-outs": {"cutouts/"},
    "translator": {"decks/"},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_who_reads_which_list(api_as, name):
    api = api_as(*USERS[name], views=False)
    lists = ALLOWED["viewer"]
    assert {path for path in lists if api.get(path).status_code == 200} == ALLOWED[name]


def test_who_starts_a_run_may_watch_it(api_as):
    mug = factories.product()
    factories.scene("marble")
    api = api_as(Permission.GENERATE, "testcatalog.view_mug", views=False)
    wish = {"model": "testcatalog.mug", "objects": [mug.pk], "scenes": ["marble"]}
    run = api.post("runs/", wish)
    assert run.status_code == 201
    assert api.get(f"runs/{run.json()['id']}/").status_code == 200


@pytest.mark.parametrize(
    "path", ["plans/", "plans/preview/", "runs/", "runs/renewal/", "plans/texts/"]
)
def test_products_are_planned_by_those_who_may_see_them(api_as, path):
    api = api_as(Permission.GENERATE, "testcatalog.view_vase", views=False)
    factories.product()
    wish = {"model": "testcatalog.mug", "objects": "all"}
    if "renewal" not in path:
        wish |= {"layouts": ["banner"]} if "texts" in path else {"scenes": ["marble"]}
    assert api.post(path, wish).status_code == 403
    assert api.post(path, {**wish, "model": "testcatalog.vase"}).status_code != 403


def test_only_its_owner_and_keepers_of_runs_lift_a_budget(api_as):
    owner, other = api_as(Permission.GENERATE), api_as(Permission.GENERATE)
    keeper = api_as(Permission.GENERATE, "nb_catalog.change_run")
    run = factories.run(actor=owner.user, paused_reason="run_budget", budget_usd="1")
    address = f"runs/{run.pk}/resume/"
    assert other.post(address, {"budget_usd": None}).status_code == 403
    run.refresh_from_db()
    assert (run.paused_reason, run.budget_usd) == ("run_budget", 1)
    assert owner.post(address, {"budget_usd": "2"}).status_code == 200
    type(run).objects.update(paused_reason="run_budget")
    assert keeper.post(address, {"budget_usd": "3"}).status_code == 200


def test_a_run_that_is_not_paused_keeps_its_budget(api_as):
    api = api_as(Permission.GENERATE)
    run = factories.run(actor=api.user, budget_usd="1")
    answer = api.post(f"runs/{run.pk}/resume/", {"budget_usd": None})
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_move")
    run.refresh_from_db()
    assert run.budget_usd == 1

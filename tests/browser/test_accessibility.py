"""Every page of ours, in light and dark, on a desktop, a tablet and a phone: no violation that axe finds."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import resolve
from django.utils import timezone
from selenium.webdriver.support.ui import Select

from nb_catalog import copydecks, cutouts, generation, webhooks
from nb_catalog import series as catalog_series
from nb_catalog.conf import GEMINI_TIERS
from nb_catalog.copydecks import changes
from nb_catalog.copydecks.types import DeckTexts
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.models import (
    DailyBudget,
    DailySpendTotal,
    Export,
    Placement,
    ProviderBatch,
    ProviderCall,
    ProviderPause,
    Run,
    WebhookEndpoint,
)
from nb_catalog.publishing import due_publications, placements, publications, request_publication
from nb_catalog.testing import Script
from tests import factories
from tests.browser import axe
from tests.browser.test_admin_way import person

__all__ = ["person"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(settings):
    """Rows of every table, and of every state that a page shows."""
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "LOCALES": ["en", "de", "ar"],
        "TIERS": GEMINI_TIERS,
        "PROVIDERS": {**settings.NB_CATALOG["PROVIDERS"], "gemini": Script().as_setting()},
        "RENDITION_WIDTHS": [320],
        "RENDITION_FORMATS": ["jpeg"],
    }
    scene, layout = factories.scene("marble"), factories.layout()
    deck = factories.deck(en={"headline": "Autumn"}, de={"headline": "Herbst"})
    proposals = {("de", "headline"): "Herbstaktion", ("ar", "headline"): "الخريف"}
    texts = DeckTexts(texts={("en", "headlin"): "<b>{prise}</b>"}, proposals=proposals)
    _plan, imported = copydecks.import_texts(deck, texts, origin="autumn.xlsx", actor=None)
    preview = changes.keep_preview(
        deck,
        copydecks.plan_changes(deck, DeckTexts(texts={("en", "headline"): ""})),
        origin="autumn.csv",
        actor=None,
    )
    mug = factories.product(name="Stoneware mug")
    running, failed, done = (
        factories.run(title=f"Mugs: Marble ({name})", estimate_usd="1.5", budget_usd="2")
        for name in ("running", "failed", "done")
    )
    for state in (JobState.QUEUED, JobState.CALLING, JobState.SUCCEEDED, JobState.CANCELLED):
        factories.job(mug, of=running, state=state)
    for state, code in (
        (JobState.FAILED, "picture_missing"),
        (JobState.FAILED, "no_picture"),
        (JobState.REFUSED, "content_refused"),
        (JobState.UNKNOWN, "outcome_unknown"),
        (JobState.CANCELLED, ""),
    ):
        factories.job(mug, of=failed, state=state, error_code=code, error="It did not work.")
    made = factories.job(mug, of=done, state=JobState.SUCCEEDED)
    Run.objects.filter(pk=running.pk).update(
        paused_reason="run_budget", created_at=timezone.now() - timedelta(minutes=2)
    )
    for state in ImageState:
        factories.image(mug, state=state, size=(80, 100))
    factories.image(mug, job=made, size=(80, 100))
    factories.published(mug, size=(80, 100))
    placements.publish(
        factories.image(mug, state=ImageState.APPROVED, size=(80, 100)), slot="hero", actor=None
    )
    factories.published(factories.product(photo=False), slot="gallery", position=1)
    asked = factories.spec(
        mug, base="b" * 64, layout=layout.key, locale="de",
        renderer={"texts": {"headline": "Herbst", "price": "12 €"}},
    )  # fmt: skip
    stale = factories.published(mug, slot="social", asked=asked, locale="de", size=(80, 100))
    Placement.objects.filter(pk=stale.pk).update(stale_since=timezone.now())
    text = factories.image(mug, asked=asked, locale="de", size=(80, 100))
    now = timezone.now()
    call = ProviderCall.objects.create(
        job=made, run=done, epoch=1, provider="gemini", model="m", outcome="unknown",
        started_at=now, finished_at=now, estimate_microusd=33_600,
    )  # fmt: skip
    pause = ProviderPause.objects.create(
        provider="gemini", model="m", until=now + timedelta(hours=1), reason="Spend cap reached."
    )
    day = DailyBudget.objects.create(day=now.date(), spent_microusd=33_600)
    DailySpendTotal.objects.create(
        day=now.date(),
        model="m",
        tier="draft",
        scene="marble",
        user="",
        calls=2,
        spent_microusd=33_600,
    )
    cutout = factories.cutout(mug, reasons=["room", "outline"])
    factories.cutout(factories.product(name="Vase"), state="refused", problem="Nothing stands out.")
    factories.cutout(factories.product(name="Bowl"), state="requested", masked=False)
    cutouts.set_kind([factories.cutout(state="accepted")], "lifestyle", actor=None)
    cutouts.set_kind([cutout], "packshot", actor=None)
    cutouts.undo(cutout, actor=None)
    series = factories.series(
        mug, *(factories.product(name=name, photo=name != "Plate") for name in ("Jug", "Plate")),
        ratio="4:5",
    )  # fmt: skip
    draft = factories.published(mug, slot="gallery", position=3, size=(80, 100)).image
    factories.image(
        mug, draft=draft, size=(80, 100), tier="premium",
        checks={
            "composition": {"score": 1.6, "worst": "place", "parts": {"place": 1.6}},
            "final": {"difference_microusd": 206_400},
        },
    )  # fmt: skip
    anchor = factories.image(mug, state=ImageState.APPROVED, size=(80, 100))
    catalog_series.save_look(catalog_series.with_anchor(series, anchor))
    series.refresh_from_db()
    drifts = iter([{"score": 0.4, "worst": "light"}, {"score": 2.5, "worst": "cast"}])
    pictures = [
        factories.image(
            series.content_type.get_object_for_this_type(pk=item.object_id), asked=item.spec,
            state=ImageState.APPROVED, size=(80, 100), checks={"drift": next(drifts)},
        )
        for item in generation.plan_series(series).items() if item.spec
    ]  # fmt: skip
    experiment = factories.experiment(
        *(factories.product(name=name) for name in ("Cup", "Can")), factories.product(name="Tray")
    )  # fmt: skip
    voter = factories.staff(name="colleague")
    for pair in experiment.pairs.all()[:2]:
        pair.votes.create(voter=voter, choice="b")
    waiting, stopped = (
        request_publication(
            publications.placed(
                [
                    factories.image(mug, state=ImageState.APPROVED, size=(80, 100))
                    for mug in (factories.product(name="Bowl"), factories.product(name="Pot"))
                ],
                slot="social",
            ),
            actor=voter,
            ends_at=now + timedelta(days=days),
        )
        for days in (1, 2)
    )
    due_publications._stop(stopped, "stopped", "Picture 1 is not approved. Approve it first.")
    stopped.planned.filter(pk=stopped.planned.last().pk).update(problem="It is not approved.")
    batch = ProviderBatch.objects.create(name="b1", provider="gemini", model="m", items=1)
    endpoint, _secret = webhooks.create(url="https://shop.example/hook", events=["run.ended"])
    sent = webhooks.send_test(endpoint)
    gone = {"state": "failed", "due_at": None, "error_code": "redirect", "status_code": 302}
    type(sent).objects.filter(pk=webhooks.send_test(endpoint).pk).update(**gone)
    WebhookEndpoint.objects.update(failing_since=now - timedelta(hours=1))
    return SimpleNamespace(
        mug=mug, scene=scene, layout=layout, deck=deck, image=text, day=day, call=call, pause=pause,
        batch=batch, job=made, imported=imported, preview=preview,
        series=series, picture=pictures[1], draft=draft,
        placement=stale, running=running, failed=failed, done=done, cutout=cutout,
        experiment=experiment, waiting=waiting, stopped=stopped, delivery=factories.gallery_delivery(mug),
        endpoint=endpoint, sent=sent,
    )  # fmt: skip


def at(path):
    """Open ``path`` of the app's admin, with the keys of the shop's rows filled in."""

    @shows(path)
    def open_page(person, shop):
        person.open("/admin/nb_catalog/" + path.format(shop=shop))

    return open_page


def shows(path):
    """Say which page of the app's admin a way leads to."""

    def note(open_page):
        open_page.path = path
        return open_page

    return note


@shows("run/generate/")
def generate(person, shop):
    person.open(f"/admin/nb_catalog/run/generate/?model=testcatalog.mug&key={shop.mug.pk}")
    person.click(".nbc-card")
    person.wait_for_text("#nbc-plan", "1 picture to generate")


@shows("run/generate/sent/")
def what_will_be_sent(person, shop):
    generate(person, shop)
    person.click("#nbc-show-sent")
    person.wait_for(".nbc-sent details")


@shows("run/generate/")
def confirm(person, shop):
    generate(person, shop)
    person.wait(lambda: person.wait_for("#nbc-start").is_enabled(), for_what="a plan to start")
    person.click("#nbc-start")
    person.wait_for(".nbc-confirm")


@shows("providercall/")
def settle(person, shop):
    person.open("/admin/nb_catalog/providercall/")
    person.click(".action-select")
    Select(person.wait_for("select[name=action]")).select_by_value("billed")
    person.click("button[name=index]")
    person.wait_for(".nbc-confirm")


@shows("productimage/review/")
def toasts(person, shop):
    person.open("/admin/nb_catalog/productimage/review/")
    person.click(".nbc-picture [value^='reject:']")
    person.wait_for("#nbc-messages li button")


@shows("placement/")
def after_a_decision(person, shop):
    """As without JavaScript: the message comes with the page."""
    person.open("/admin/nb_catalog/placement/?q=hero")
    person.click("[formaction*='withdraw']")
    person.wait_for(".messagelist")


@shows("photocutout/{shop.cutout.pk}/change/")
def editor(person, shop, *, in_scene=True):
    address = f"/admin/nb_catalog/photocutout/{shop.cutout.pk}/change/"
    person.open(address)
    # Drafts that other tests have left in this browser, of a cut-out with the same key and photo.
    person.browser.execute_script("sessionStorage.clear()")
    person.open(address)
    person.wait_for("#nbc-canvas[data-ready]")
    person.click(".nbc-cut-help summary")
    if in_scene:
        person.click("#nbc-in-scene summary")


@shows("photocutout/{shop.cutout.pk}/change/")
def conflict(person, shop):
    # Nothing is shown of an empty mask in a scene: the server would refuse it.
    editor(person, shop, in_scene=False)
    person.click("#nbc-clear")
    show = "document.getElementById('nbc-conflict').hidden = false"
    person.browser.execute_script(show)


@shows("webhookendpoint/{shop.endpoint.pk}/rotate/")
def secret(person, shop):
    person.open(f"/admin/nb_catalog/webhookendpoint/{shop.endpoint.pk}/rotate/")
    person.click(".nbc-confirm button")
    person.wait_for("#nbc-secret")


def act_on_a_product(person, action):
    person.open("/admin/testcatalog/mug/")
    person.click(".action-select")
    Select(person.wait_for("select[name=action]")).select_by_value(action)
    person.click("button[name=index]")


@shows("series/choose/")
def choose_series(person, shop):
    act_on_a_product(person, "add_to_catalog_series")
    person.wait_for("[name=series]")


@shows("series/variants/")
def choose_variants(person, shop):
    act_on_a_product(person, "show_catalog_variants")
    person.wait_for("[name=variant], [name=series]")


@shows("productimage/export/")
def export(person, shop):
    for state, problem in (("waiting", ""), ("ready", ""), ("failed", "None could be exported.")):
        Export.objects.create(
            actor=person.user, state=state, problem=problem, total=2, done=1, left_out=1, byte_size=7,
            pictures=[], options={}, expires_at=timezone.now() + timedelta(days=7),
        )  # fmt: skip
    person.open(f"/admin/nb_catalog/productimage/export/?images={shop.picture.pk}")
    person.click("[name=channels][value=amazon_main]")
    person.click("button:not([name=download]).button[type=submit]")
    person.wait_for(".nbc-level-fails")


# One page of each template, which the ordinary suite looks at.
TEMPLATES = {
    "start page": lambda person, _shop: person.open("/admin/nb_catalog/"),
    "list": at("productimage/"),
    "placements": at("placement/"),
    "history of a picture": at("productimage/{shop.draft.pk}/change/"),
    "row": at("imagejob/{shop.job.pk}/change/"),
    "review": at("productimage/review/?state=all"),
    "toasts": toasts,
    "alt texts": at("productimage/{shop.image.pk}/alt/"),
    "edit": at("productimage/{shop.image.pk}/edit/"),
    "generate": generate,
    "what will be sent": what_will_be_sent,
    "nothing chosen": at("run/generate/"),
    "confirm": confirm,
    "texts": at("run/texts/?model=testcatalog.mug&key={shop.mug.pk}"),
    "photos": at("run/photos/?model=testcatalog.mug&key={shop.mug.pk}"),
    "run that failed": at("run/{shop.failed.pk}/change/"),
    "deck": at("copydeck/{shop.deck.pk}/change/"),
    "deck's files": at("copydeck/{shop.deck.pk}/files/"),
    "deck's import": at("copydeck/{shop.deck.pk}/imports/{shop.imported.pk}/"),
    "deck's preview": at("copydeck/{shop.deck.pk}/imports/{shop.preview.pk}/"),
    "layout": at("textlayout/{shop.layout.pk}/change/"),
    "spending": at("dailybudget/report/"),
    "settle": settle,
    "contact sheet": at("photocutout/sheet/?state=all"),
    "cut-out": editor,
    "series": at("series/{shop.series.pk}/sheet/"),
    "look of a series": at("series/{shop.series.pk}/change/"),
    "products for a series": at("series/{shop.series.pk}/products/"),
    "choice of a series": choose_series,
    "choice of variants": choose_variants,
    "choice of an anchor": at("series/{shop.series.pk}/anchor/"),
    "swap of an anchor": at("series/{shop.series.pk}/anchor/?image={shop.picture.pk}"),
    "finals": at("run/finals/?images={shop.picture.pk}"),
    "finals beside their draft": at("productimage/review/?draft={shop.draft.pk}"),
    "what a series misses": at("run/series/?key={shop.series.pk}"),
    "new experiment": at("experiment/add/"),
    "publish": at("publication/publish/?images={shop.picture.pk}"),
    "export": export,
    "publication that waits": at("publication/{shop.waiting.pk}/change/"),
    "publication that was stopped": at("publication/{shop.stopped.pk}/change/"),
    "roll-back": at("publication/roll-back/?at=2020-01-01T10:00"),
    "vote": at("experiment/{shop.experiment.pk}/vote/"),
    "result of an experiment": at("experiment/{shop.experiment.pk}/result/"),
    "resume": at("providerpause/{shop.pause.pk}/delete/"),
    "endpoint": at("webhookendpoint/{shop.endpoint.pk}/change/"),
    "rotation": at("webhookendpoint/{shop.endpoint.pk}/rotate/"),
    "secret": secret,
    "message": at("webhookdelivery/{shop.sent.pk}/change/"),
}
OTHERS = {
    "endpoints": at("webhookendpoint/"),
    "new endpoint": at("webhookendpoint/add/"),
    "messages": at("webhookdelivery/"),
    "all series": at("series/"),
    "experiments": at("experiment/"),
    "publications": at("publication/"),
    "another moment": at("publication/moment/?at=2020-01-01T10:00"),
    "new series": at("series/add/"),
    "cut-outs": at("photocutout/"),
    "cut-out changed by two": conflict,
    "nothing to look at": at("photocutout/sheet/?q=nothing"),
    "sheet in a scene": at("photocutout/sheet/?ground=scene:marble"),
    "no products for texts": at("run/texts/"),
    "history": at("scene/{shop.scene.pk}/history/"),
    "deleting": at("scene/{shop.scene.pk}/delete/"),
    "new layout": at("textlayout/add/"),
    "jobs": at("imagejob/"),
    "jobs that failed": at("imagejob/?state__exact=failed"),
    "search": at("imagejob/?q=stoneware"),
    "runs": at("run/"),
    "calls": at("providercall/"),
    "call": at("providercall/{shop.call.pk}/change/"),
    "pauses": at("providerpause/"),
    "pause": at("providerpause/{shop.pause.pk}/change/"),
    "batches": at("providerbatch/"),
    "batch": at("providerbatch/{shop.batch.pk}/change/"),
    "days": at("dailybudget/"),
    "day": at("dailybudget/{shop.day.pk}/change/"),
    "decks": at("copydeck/"),
    "new deck": at("copydeck/add/"),
    "layouts": at("textlayout/"),
    "scenes": at("scene/"),
    "scene": at("scene/{shop.scene.pk}/change/"),
    "new scene": at("scene/add/"),
    "import of scenes": at("scene/import/"),
    "picture": at("productimage/{shop.image.pk}/change/"),
    "placement": at("placement/{shop.placement.pk}/change/"),
    "deliveries": at("gallerydelivery/"),
    "delivery": at("gallerydelivery/{shop.delivery.pk}/change/"),
    "unpublished": after_a_decision,
    "review of nothing": at("productimage/review/?q=nothing"),
    "review by run": at("productimage/review/?by=run&queue=mine"),
    "review of a run": at("productimage/review/?run={shop.done.pk}"),
    "run that waits": at("run/{shop.running.pk}/change/"),
    "run that is done": at("run/{shop.done.pk}/change/"),
    "products": lambda person, _shop: person.open("/admin/testcatalog/mug/"),
    "product": lambda person, shop: person.open(f"/admin/testcatalog/mug/{shop.mug.pk}/change/"),
}


REFUSED = "refused to everybody"
# What is not a page with rules of its own: the reason, and the names of the addresses.
NOT_PAGES = {
    "a download": {
        "scene_export", "copydeck_table", "copydeck_workbook", "copydeck_sheet", "productimage_export_file",
    },
    "a picture": {
        "photocutout_photo", "photocutout_mask", "photocutout_cut", "photocutout_scene",
        "photocutout_preview", "photocutout_solve", "scene_photo", "scene_swatch",
        "productimage_preview", "productimage_original", "scene_thumbnail", "scene_preview",
        "textlayout_thumbnail", "textlayout_preview", "productimage_edit_preview",
        "experiment_picture",
    },
    "data for the script of a page": {
        "run_progress", "productimage_cards", "run_events", "productimage_events", "series_events",
        "publication_progress",
    },
    "a part of the pages to generate, which show it": {
        "run_plan", "run_texts_plan", "run_photos_plan", "run_series_plan", "run_finals_plan",
        "experiment_plan",
    },
    "a button, which redirects or answers in JSON": {
        "photocutout_decide", "photocutout_save", "series_decide", "copydeck_propose", "productimage_decide",
        "productimage_send", "productimage_filters", "productimage_claims",
        "productimage_propose_alts", "productimage_edit_ask", "productimage_edit_adjust",
        "productimage_edit_undo", "productimage_edit_texts", "productimage_like", "placement_withdraw",
        "placement_roll_back", "placement_renew", "run_cancel", "run_retry", "run_resume",
        "experiment_change", "experiment_close", "experiment_use", "gallerydelivery_decide",
        "webhookendpoint_test", "webhookdelivery_resend",
        "publication_cancel", "publication_retry", "publication_schedule", "productimage_export_delete",
    },
    "Django's own page, of which a scene's is looked at": {
        f"{model}_history"
        for model in (
            "copydeck", "dailybudget", "imagejob", "photocutout", "placement", "productimage",
            "providerbatch", "providercall", "providerpause", "run", "series", "textlayout",
            "experiment", "gallerydelivery", "webhookendpoint", "webhookdelivery",
            "publication",
        )
    } | {"webhookendpoint_delete", "copydeck_delete", "series_delete", "textlayout_delete"},
    REFUSED: {
        f"{model}_{action}"
        for action in ("add", "delete")
        for model in (
            "dailybudget", "imagejob", "photocutout", "placement", "productimage", "providerbatch",
            "providercall", "run", "gallerydelivery", "webhookdelivery",
            "publication",
        )
    } | {"providerpause_add", "experiment_delete"},
}  # fmt: skip
ADMIN = "/admin/nb_catalog/"


def names_of_addresses():
    """The names of all addresses that the app's admin has, without the app's own."""
    addresses = (
        each for include in admin.site.urls[0] if hasattr(include, "url_patterns")
        for each in include.url_patterns
    )  # fmt: skip
    prefix = "nb_catalog_"
    return {
        each.name.removeprefix(prefix) for each in addresses if (each.name or "").startswith(prefix)
    }


def name_of_page(path):
    name = resolve(ADMIN + re.sub(r"{.*?}", "1", path.partition("?")[0])).url_name
    return name.removeprefix("nb_catalog_")


def test_no_page_is_forgotten():
    pages = TEMPLATES | OTHERS
    looked_at = {name_of_page(way.path) for way in pages.values() if hasattr(way, "path")}
    others = set().union(*NOT_PAGES.values())
    assert looked_at & others == set()
    assert names_of_addresses() - looked_at - others == set()
    assert looked_at | others <= names_of_addresses()


def test_what_counts_as_refused_is_refused(shop, admin_client):
    for name in NOT_PAGES[REFUSED]:
        model, _, action = name.partition("_")
        key = apps.get_model("nb_catalog", model).objects.values_list("pk", flat=True).first()
        address = f"{ADMIN}{model}/" + ("add/" if action == "add" else f"{key}/delete/")
        assert admin_client.get(address).status_code == 403, name


def inspect(person, shop, pages, looks):
    """Open each of ``pages`` once and return what axe finds in each of ``looks``."""
    found = []
    for name, open_page in pages.items():
        for number, (theme, size, rules) in enumerate(looks):
            axe.show(person.browser, theme=theme, size=size)
            if not number:
                open_page(person, shop)
            violations = axe.violations(person.browser, rules=rules)
            found += [f"{name} ({theme}, {size[0]} px): {each}" for each in violations]
    return found


@pytest.mark.long
def test_no_template_has_a_violation(person, shop):
    looks = [("light", axe.PHONE, None), ("dark", axe.DESKTOP, axe.ABOUT_COLOURS)]
    assert inspect(person, shop, TEMPLATES, looks) == []


# So that several processes share the work.
PARTS = 4


@pytest.mark.matrix
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.long
def test_no_page_has_a_violation_in_any_theme_and_width(person, shop, part):
    pages = dict(list((TEMPLATES | OTHERS).items())[part::PARTS])
    sizes = (axe.DESKTOP, axe.TABLET, axe.PHONE)
    looks = [("light", size, None) for size in sizes]
    looks += [("dark", size, axe.ABOUT_COLOURS) for size in sizes]
    assert inspect(person, shop, pages, looks) == []


def width_of(person):
    return person.browser.execute_script("return document.documentElement.scrollWidth")


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize("size", [axe.TABLET, axe.PHONE])
def test_pages_of_pictures_are_no_wider_than_their_window(person, shop, size):
    axe.show(person.browser, theme="light", size=size)
    person.open("/admin/nb_catalog/productimage/review/?state=all")
    assert width_of(person) <= size[0]
    for open_page in (TEMPLATES["contact sheet"], editor):
        open_page(person, shop)
        assert width_of(person) <= size[0]


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_the_bar_of_the_review_page_leaves_room_for_the_pictures(person, shop, language):
    axe.show(person.browser, theme="light", size=axe.PHONE)
    person.open("/admin/")
    person.browser.add_cookie({"name": "django_language", "value": language})
    person.open("/admin/nb_catalog/productimage/review/?state=all")
    assert person.wait_for("html").get_attribute("lang") == language
    assert person.wait_for(".nbc-bulk").size["height"] <= 64

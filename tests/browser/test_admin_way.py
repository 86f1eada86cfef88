"""The way of a picture as a merchandiser walks it: choose, plan, start, watch, judge, publish."""

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support import ui

from nb_catalog import review, worker
from nb_catalog.core.states import ImageState
from nb_catalog.models import Placement, ProductImage, ReviewEvent, Run
from nb_catalog.publishing import upkeep
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECONDS = 180  # on a machine that is busy with other things, too


class Person:
    """Somebody at the browser: looks, clicks and types, and waits for what a page promises."""

    def __init__(self, browser, server):
        self.browser = browser
        self.server = server

    def open(self, path):
        self.browser.get(self.server + path)

    def sees(self, css):
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def wait(self, condition, *, for_what):
        waiting = ui.WebDriverWait(self.browser, SECONDS, 0.1, [StaleElementReferenceException])
        return waiting.until(lambda _browser: condition(), f"waited for {for_what}")

    def reads(self, text, css):
        """Waits for ``text``, without any JavaScript."""
        self.wait(lambda: any(text in each.text for each in self.sees(css)), for_what=text)

    def wait_for(self, css):
        return self.wait(lambda: self.sees(css), for_what=css)[0]

    def wait_for_text(self, css, text):
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText).join()"
        self.wait(lambda: text in self.browser.execute_script(script, css), for_what=text)

    def click(self, css):
        def clicked():
            element = self.wait_for(css)
            self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
            return True

        # Again if a page that updates itself has just redrawn the element.
        self.wait(clicked, for_what=css)

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def wait_until_sent(self):
        """Waits until the server has answered all that was decided on the review page."""
        script = "return !ReviewPage.outbox.isSending && ReviewPage.outbox.size === 0"
        self.wait(lambda: self.browser.execute_script(script), for_what="answers")

    def sign_in(self, user):
        self.open("/admin/login/")
        self.wait_for("#id_username").send_keys(user.get_username())
        self.wait_for("#id_password").send_keys("secret", Keys.ENTER)
        self.wait_for("#user-tools")


@pytest.fixture
def person(browser, server):
    someone = Person(browser, server)
    someone.user = factories.superuser()
    someone.sign_in(someone.user)
    return someone


def has_loaded(person, css):
    script = "const i = document.querySelector(arguments[0]); return i && i.naturalWidth > 0"
    return person.browser.execute_script(script, css)


def test_from_the_list_of_products_to_the_page_of_the_shop(person):
    factories.scene("paper")
    mugs = [factories.product(photo=factories.photo_bytes((300, 375))) for _ in range(2)]

    person.open("/admin/testcatalog/mug/")
    person.click("#action-toggle")
    ui.Select(person.wait_for("[name=action]")).select_by_value("generate_catalog_pictures")
    person.click("button[name=index]")

    person.wait(lambda: has_loaded(person, ".nbc-card img"), for_what="a scene's thumbnail")
    assert not person.wait_for("#nbc-start").is_enabled()
    person.click(".nbc-card")
    person.wait_for_text("#nbc-plan", "2 pictures to generate")
    # The next plan comes a moment later, and a click on "Start" in between would go nowhere.
    person.browser.execute_script("document.querySelector('#nbc-plan > *').id = 'old-plan'")
    person.click(".nbc-ratio [value='4:5']")
    person.wait(lambda: not person.sees("#old-plan"), for_what="another plan")
    person.wait_for_text("#nbc-plan", "free")
    person.wait(lambda: person.wait_for("#nbc-start").is_enabled(), for_what="a plan to start")
    ActionChains(person.browser).double_click(person.wait_for("#nbc-start")).perform()

    person.wait_for_text(".nbc-percent", "0 %")
    assert Run.objects.count() == 1
    worker.drain()
    person.wait_for_text(".nbc-percent", "100 %")
    person.wait_for_text(".nbc-progress", "Done: 2 of 2 pictures generated.")
    person.wait(lambda: has_loaded(person, ".nbc-newest img"), for_what="the newest picture")

    person.click(".nbc-to-review")
    person.wait_for(".nbc-picture.nbc-now")
    person.browser.execute_script("document.querySelector('.nbc-now').focus()")
    person.press("r")
    person.wait_for(".nbc-is-rejected")
    person.wait_for(".nbc-picture.nbc-now.nbc-is-pending")
    person.press("p")
    person.wait_for_text(".nbc-messages", "approved and published to hero")
    person.wait_until_sent()
    published = Placement.objects.get().image
    assert ProductImage.objects.exclude(pk=published.pk).get().state == ImageState.REJECTED
    assert published.object_id in {str(mug.pk) for mug in mugs}

    person.open(f"/shop/{published.object_id}/")
    person.wait(lambda: has_loaded(person, "img"), for_what="the published picture")
    assert "renditions" in person.wait_for("img").get_attribute("src")


def test_every_button_works_without_javascript(person):
    factories.scene("paper")
    mug = factories.product()
    person.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    person.open(f"/admin/nb_catalog/run/generate/?model=testcatalog.mug&key={mug.pk}")
    person.wait_for(".nbc-card").click()
    person.wait_for("#nbc-update").click()
    person.reads("1 picture to generate", ".nbc-headline")
    person.wait_for("#nbc-start").click()
    person.wait_for(".nbc-progress")
    worker.drain()
    person.browser.refresh()
    person.reads("100 %", ".nbc-percent")
    person.wait_for(".nbc-to-review").click()
    person.wait_for("[value^='reject:']").send_keys(Keys.ENTER)
    person.reads("rejected.", ".messagelist .success")
    person.wait_for(".messagelist .success a").click()
    person.wait_for("[value^='reconsider:']").send_keys(Keys.ENTER)
    person.open("/admin/nb_catalog/productimage/review/")
    person.wait_for("[value^='publish:']").send_keys(Keys.ENTER)
    person.reads("published to hero", ".messagelist .success")
    assert Placement.objects.get().object_id == str(mug.pk)


def test_the_keyboard_moves_judges_and_undoes(person):
    mug = factories.product()
    images = [factories.image(mug, scene=f"scene-{n}") for n in range(3)]
    person.open("/admin/nb_catalog/productimage/review/")
    person.wait_for(f"#picture-{images[0].pk}.nbc-now")
    person.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    person.wait_for(f"#picture-{images[1].pk}.nbc-now")
    person.press("a")
    person.wait_for(f"#picture-{images[1].pk}.nbc-is-approved")
    person.wait_for(f"#picture-{images[2].pk}.nbc-now")
    person.press("r")
    person.wait_for(f"#picture-{images[2].pk}.nbc-is-rejected")
    person.wait_until_sent()
    person.press("u")
    person.wait_for(f"#picture-{images[2].pk}.nbc-is-pending")
    person.wait_until_sent()
    moves = ["approve", "reject", "reconsider"]
    assert list(ReviewEvent.objects.values_list("move", flat=True)) == moves


def test_letters_act_on_the_focused_picture_only_and_can_be_turned_off(person):
    factories.image()
    person.open("/admin/nb_catalog/productimage/review/")
    link = person.wait_for("#nav-sidebar a, .breadcrumbs a")
    person.browser.execute_script("arguments[0].focus()", link)
    person.press("r", "a", "p")
    person.click("#nbc-keys")
    card = person.wait_for(".nbc-picture")
    person.browser.execute_script("arguments[0].focus()", card)
    person.press("r")
    person.open("/admin/nb_catalog/productimage/review/")
    assert not person.wait_for("#nbc-keys").is_selected(), "the browser remembers it"
    assert not ReviewEvent.objects.exists()
    person.click("#nbc-keys")
    person.browser.execute_script("document.querySelector('.nbc-picture').focus()")
    person.press("r")
    person.wait_for(".nbc-is-rejected")
    person.wait_until_sent()


def test_the_next_pictures_come_before_the_last_one_is_decided(person):
    mug = factories.product()
    images = [factories.image(mug, size=(40, 50)) for _ in range(26)]
    person.open("/admin/nb_catalog/productimage/review/")
    person.wait_for_text("#nbc-found", "26 pictures")
    assert len(person.sees(".nbc-picture")) == 24
    person.click("#nbc-all")
    person.click("[value=approve_chosen]")
    person.wait_for(f"#picture-{images[25].pk}")
    person.wait_for_text("#nbc-found", "2 pictures")
    assert len(person.sees(".nbc-picture")) == 26
    person.wait_for(f"#picture-{images[24].pk}.nbc-now")
    person.click(".nbc-messages .success button")
    person.wait_for_text("#nbc-found", "26 pictures")
    assert not ProductImage.objects.exclude(state=ImageState.PENDING).exists()


def test_what_was_decided_together_is_undone_together(person):
    states = [ImageState.PENDING, ImageState.APPROVED] * 3
    images = [
        factories.image(factories.product(photo=False), size=(40, 50), state=state)
        for state in states
    ]
    before = [(image.pk, image.state) for image in images]
    for decision, state, published in (
        ("publish", ImageState.APPROVED, 6),
        ("reject", ImageState.REJECTED, 0),
    ):
        person.open("/admin/nb_catalog/productimage/review/?state=all")
        person.click("#nbc-all")
        person.click(f"[value={decision}_chosen]")
        person.wait_for(".nbc-messages button")
        person.wait_until_sent()
        assert {*ProductImage.objects.values_list("state", flat=True)} == {state}
        # Their files are made by a worker.
        upkeep.run_due()
        assert Placement.objects.count() == published
        person.click(".nbc-messages .success button")
        person.wait_until_sent()
        rows = ProductImage.objects.order_by("pk").values_list("pk", "state")
        assert list(rows) == before and not Placement.objects.exists()


def test_letters_in_a_note_decide_nothing(person):
    image = factories.image()
    person.open("/admin/nb_catalog/productimage/review/")
    person.click(".nbc-further summary")
    person.wait_for("[name^=note-]").send_keys("a great paper rim")
    image.refresh_from_db()
    assert image.state == ImageState.PENDING


def test_when_somebody_was_faster_the_note_is_still_there(person):
    image = factories.image()
    person.open("/admin/nb_catalog/productimage/review/")
    person.click(".nbc-further summary")
    person.wait_for("[name^=note-]").send_keys("Crooked handle")
    review.approve(image, actor=factories.superuser())
    person.click("[value^='reject:']")
    person.wait_for_text(".nbc-messages", "Someone else was faster.")
    person.wait_for(".nbc-is-approved")
    assert person.wait_for("[name^=note-]").get_attribute("value") == "Crooked handle"


def test_a_picture_opens_in_full_size_and_closes_with_escape(person):
    factories.image(size=(400, 500))
    person.open("/admin/nb_catalog/productimage/review/")
    person.click(".nbc-picture a.nbc-zoom")
    person.wait(
        lambda: has_loaded(person, "#nbc-zoom[open] .nbc-zoom-after img"), for_what="the picture"
    )
    person.press(Keys.ESCAPE)
    person.wait(lambda: not person.sees("#nbc-zoom[open]"), for_what="the page again")


def open_json(person):
    """The recipe as JSON, which the form of a scene folds away."""
    person.browser.execute_script(
        "document.getElementById('id_renderer').closest('details').open = true"
    )
    return person.wait_for("#id_renderer")


def test_a_recipe_is_drawn_and_corrected_while_it_is_typed(person):
    scene = factories.scene("paper")
    person.open(f"/admin/nb_catalog/scene/{scene.pk}/change/")
    before = person.wait_for(".nbc-design img").get_attribute("src")
    field = open_json(person)
    field.clear()
    field.send_keys('{"surface": {"kind": "oak"}}')
    person.wait(
        lambda: person.wait_for(".nbc-design img").get_attribute("src") != before,
        for_what="the new picture",
    )
    person.wait(lambda: has_loaded(person, ".nbc-design img"), for_what="its pixels")


def test_text_is_put_on_pictures_in_two_languages(person, settings, monkeypatch):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "ar"]}
    words = {"en": {"headline": "Autumn offer"}, "ar": {"headline": "عرض الخريف"}}
    monkeypatch.setattr(MugSource, "copy", lambda self, mug, locale: words.get(locale, {}))
    factories.layout()
    mug = factories.product()
    factories.image(mug, size=(400, 500), state=ImageState.APPROVED)
    person.open("/admin/testcatalog/mug/")
    person.click("#action-toggle")
    ui.Select(person.wait_for("select[name=action]")).select_by_value("put_text_on_pictures")
    person.click("button[name=index]")
    person.wait_for_text("#nbc-plan", "Choose layouts and languages")
    person.click("input[name=layouts][value=banner]")
    person.wait_for_text("#nbc-plan", "2 pictures to generate")
    person.click("#nbc-start")
    person.wait_for_text("body", "Started.")
    worker.drain()
    person.open("/admin/nb_catalog/productimage/review/")
    person.wait_for_text(".nbc-on-it", "عرض الخريف")


def test_a_layout_is_drawn_in_another_language_when_one_is_chosen(person, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "ar"]}
    layout = factories.layout()
    person.open(f"/admin/nb_catalog/textlayout/{layout.pk}/change/")
    person.wait(
        lambda: has_loaded(person, ".nbc-design img"), for_what="the picture as it is saved"
    )
    before = person.wait_for(".nbc-design img").get_attribute("src")
    ui.Select(person.wait_for("#nbc-locale")).select_by_value("ar")
    person.wait(
        lambda: person.wait_for(".nbc-design img").get_attribute("src") != before,
        for_what="the picture in Arabic",
    )
    person.wait(lambda: has_loaded(person, ".nbc-design img"), for_what="its pixels")
    assert "locale=ar" in person.wait_for(".nbc-design img").get_attribute("src")


def test_a_wrong_recipe_is_explained_while_it_is_typed(person):
    scene = factories.scene("paper")
    person.open(f"/admin/nb_catalog/scene/{scene.pk}/change/")
    field = open_json(person)
    field.clear()
    field.send_keys('{"surface": {"kind": "oka"}}')
    person.wait_for_text(".nbc-design", "Did you mean 'oak'?")
    # The browser itself reports the answer 400 in its console.
    person.browser.get_log("browser")


@pytest.mark.parametrize(
    "page",
    [
        "/admin/nb_catalog/productimage/review/",
        "/admin/nb_catalog/run/{run}/change/",
        "/admin/nb_catalog/run/generate/?model=testcatalog.mug&key={mug}",
    ],
    ids=["review", "run", "generate"],
)
def test_a_phone_scrolls_in_one_direction_only(person, page):
    factories.scene("paper")
    mug = factories.product(name="A mug with a name that is longer than a phone is wide, and more")
    run = factories.run(title="A run with a title that is longer than a phone is wide, and more")
    factories.job(mug, of=run, state="failed", error="A-sentence-without-a-space" * 8)
    factories.image(mug)
    person.browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True},
    )
    person.open(page.format(run=run.pk, mug=mug.pk))
    person.wait_for("#content-main")
    width = person.browser.execute_script("return document.documentElement.scrollWidth")
    assert width == 360

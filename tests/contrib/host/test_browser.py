"""The frames in a real browser: from a product to its published picture, in both themes and on a phone."""

from contextlib import contextmanager, suppress

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.files.base import ContentFile
from django.test import Client
from oscar.core.loading import get_model
from oscar.test.factories import create_product
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Keys
from wagtail.images.models import Image
from wagtail.models import Collection, GroupPagePermission, Locale, Page, Site

import nb_catalog
from nb_catalog import registry, worker
from nb_catalog.contrib.oscar.galleries import ProductImagesGallery
from nb_catalog.contrib.wagtail.galleries import ImageLibraryGallery
from nb_catalog.models import ProductImage, Series
from nb_catalog.publishing import galleries, upkeep
from tests import factories
from tests.browser import axe
from tests.browser.conftest import browser, chromium
from tests.browser.test_admin_way import Person
from tests.contrib.host.site.models import LampPage

__all__ = ["browser", "chromium"]

pytestmark = pytest.mark.django_db(transaction=True)

Product = get_model("catalogue", "Product")
MAY = (
    "view_productimage", "view_run", "view_series", "add_series", "change_series", "view_placement",
    "generate", "review", "publish",
)  # fmt: skip
# Where our pages are in the page, and what of ours is in a page of the host's.
FRAME, LINK = ".nbc-frame", "a[href*='catalog-pictures']"
# What the hosts load from elsewhere: a script, and pictures of people.
ELSEWHERE = ("https://ajax.googleapis.com/", "https://www.gravatar.com/")
# What is outside of the window and cannot be scrolled into it.
OUTSIDE = """
document.getAnimations().forEach((each) => each.finish());
const frame = document.querySelector(".nbc-frame");
const scrolls = (each) => frame !== each && (
  ["auto", "scroll"].includes(getComputedStyle(each).overflowX) || scrolls(each.parentElement));
const sticksOut = (each) => {
  const box = each.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && box.right > document.documentElement.clientWidth + 1;
};
return [...frame.querySelectorAll("*")]
  .filter((each) => each.checkVisibility() && sticksOut(each) && !scrolls(each.parentElement))
  .map((each) => "outside: " + each.outerHTML.slice(0, 200));
"""
# Addresses in the page that are those of Django's admin.
LEAVES = """
return [...document.querySelectorAll(".nbc-frame :is([href], [action], [formaction])")]
  .flatMap((each) => ["href", "action", "formaction"].map((name) => each.getAttribute(name) || ""))
  .filter((each) => each.startsWith("/admin/")).map((each) => "leaves the frame: " + each);
"""
# What looks the same with the keyboard's focus as without it.
UNSEEN = """
const look = (each) => [each, each.closest("label")].filter(Boolean).map((one) => {
  const style = getComputedStyle(one);
  return [style.outlineStyle === "none" ? "" : style.outline, style.boxShadow, style.borderColor].join();
}).join();
const still = () => document.getAnimations().forEach((each) => each.finish());
const at = document.activeElement;
const controls = ":is(a[href], button, input, select, textarea, summary)";
const unseen = [...document.querySelectorAll(".nbc-frame " + controls)]
  .filter((each) => each.checkVisibility() && !each.disabled).filter((each) => {
    document.activeElement.blur();
    still();
    const before = look(each);
    each.focus({focusVisible: true, preventScroll: true});
    still();
    return document.activeElement === each && look(each) === before;
  });
at.focus();
return unseen.map((each) => "focus is not seen: " + each.outerHTML.slice(0, 200));
"""
# Ticks a page in Wagtail's explorer and opens the menu beside four of its own actions, whose entries work
# from then on.
CHOOSE = """
document.addEventListener("w-dropdown:shown", () => {
  document.querySelector("a[href*=generate_catalog_pictures]").click();
});
document.querySelector(`[data-bulk-action-checkbox][data-object-id="${arguments[0]}"]`).click();
document.querySelector(".bulk-actions-buttons [data-w-dropdown-target=toggle]").click();
"""


@pytest.fixture
def server(browser, transactional_db):
    running = LiveServer("127.0.0.1")
    yield running.url
    # What the hosts could not load from elsewhere; errors of ours are seen by ``looks``.
    browser.get("about:blank")
    browser.get_log("browser")
    with suppress(TimeoutError):
        running.stop()


@contextmanager
def registered(model, **attributes):
    nb_catalog.register(model)(type("Source", (nb_catalog.CatalogSource,), attributes))
    try:
        yield
    finally:
        registry.unregister(model)


class Editor(Person):
    """Somebody who is not staff, signed in, and looks at each page in both themes and sizes."""

    def __init__(self, browser, server, *, frame, may):
        super().__init__(browser, server)
        self.frame = frame
        self.user = User.objects.create_user("editor", "editor@shop.example", "pictures")
        self.user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="nb_catalog", codename__in=MAY)
            | Permission.objects.filter(codename__in=may)
        )
        client = Client()
        client.force_login(self.user)
        self.open("/static/nb_catalog/frame.css")
        browser.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})

    def looks_at_list(self):
        """At a page of the host's with links of ours, whose colours are the host's."""
        problems = axe.violations(self.browser, within=LINK)
        assert [
            each for each in problems if not each.startswith(("color-contrast", *ELSEWHERE))
        ] == []

    def looks(self):
        problems = []
        for size in (axe.DESKTOP, axe.PHONE):
            for theme, rules in (("light", None), ("dark", axe.ABOUT_COLOURS)):
                axe.show(self.browser, theme=theme, size=size)
                found = axe.violations(self.browser, rules=rules, within=FRAME)
                found = [each for each in found if not each.startswith(ELSEWHERE)]
                found += self.browser.execute_script(OUTSIDE)
                problems += [f"{theme}, {size[0]} pixels: {each}" for each in found]
        self.press(Keys.TAB)  # from now on the focus is that of a keyboard
        problems += self.browser.execute_script(UNSEEN) + self.browser.execute_script(LEAVES)
        axe.show(self.browser, theme="light", size=axe.DESKTOP)
        assert problems == [], self.browser.current_url

    def walks(self):
        """From the page where pictures are planned to one that is published, and past the others."""
        self.wait_for(".nbc-card")
        self.looks()
        self.click(".nbc-card")
        self.wait_for_text("#nbc-plan", "to generate")
        self.wait(lambda: self.wait_for("#nbc-start").is_enabled(), for_what="a plan to start")
        self.looks()
        self.click("#nbc-start")
        self.wait_for(".nbc-percent")
        worker.drain()
        self.wait_for_text(".nbc-percent", "100 %")
        self.looks()
        self.click(".nbc-to-review")
        self.wait_for(".nbc-picture.nbc-now")
        self.looks()
        self.browser.execute_script("document.querySelector('.nbc-now').focus()")
        self.press("p")
        self.wait_for_text(".nbc-messages", "approved and published to hero")
        self.wait_until_sent()
        galleries.deliver_due()
        image, series = ProductImage.objects.filter(state="approved").get(), Series.objects.get()
        for page in (
            "", "productimage/", f"productimage/{image.pk}/change/", f"productimage/{image.pk}/edit/",
            "placement/", "run/", "series/", "series/add/",
            f"series/{series.pk}/sheet/", f"series/{series.pk}/products/",
        ):  # fmt: skip
            self.open(f"{self.frame}nb_catalog/{page}")
            self.looks()
        self.open(f"{self.frame}nb_catalog/productimage/export/?images={image.pk}")
        self.click("[name=background]")
        self.wait_for(".nbc-exports")
        upkeep.run_due()
        self.browser.refresh()
        self.wait_for(".nbc-exports a.button")
        self.looks()


def test_a_wagtail_editor_publishes_a_picture(browser, server):
    collection = Collection.add_root(name="Root")
    Locale.objects.get_or_create(language_code="en")
    root = Page.add_root(instance=Page(title="Root", slug="root"))
    home = root.add_child(instance=Page(title="Home", slug="home"))
    Site.objects.create(hostname="localhost", root_page=home, is_default_site=True)
    library = ImageLibraryGallery(slots=("hero",), collection="Products")
    source = {"title_field": "title", "photo_field": "photo__file", "slots": ("hero",)}
    with registered(LampPage, **source, galleries=(library,)):
        factories.scene("marble")
        photo = Image(title="Photo", file=ContentFile(factories.photo_bytes(), "lamp.png"))
        photo.save()
        lamp = home.add_child(instance=LampPage(title="Reading lamp", photo=photo))
        factories.series(lamp)
        editor = Editor(
            browser, server, frame="/cms/catalog-pictures/", may=("access_admin", "view_lamppage")
        )
        group = Group.objects.create(name="Lamps")
        GroupPagePermission.objects.create(group=group, page=home, permission_type="change")
        group.collection_permissions.create(
            collection=collection, permission=Permission.objects.get(codename="change_image")
        )
        editor.user.groups.add(group)

        editor.open(f"/cms/pages/{home.pk}/")
        editor.looks_at_list()
        editor.browser.execute_script(CHOOSE, lamp.pk)
        editor.walks()
        editor.open("/cms/images/")
        editor.wait_for(f"[href*='/images/{library.chooser_value(lamp, slot='hero')}/'] img")


def test_a_partner_publishes_a_picture_in_oscar(browser, server):
    slots = ("hero", "gallery")
    with registered(
        Product,
        title_field="get_title",
        photo_field="images__original",
        slots=slots,
        galleries=(ProductImagesGallery(slots=slots),),
    ):
        factories.scene("marble")
        editor = Editor(
            browser, server, frame="/dashboard/catalog-pictures/",
            may=("dashboard_access", "view_product"),
        )  # fmt: skip
        lamp = create_product(
            title="Reading lamp", partner_name="Theirs", partner_users=[editor.user]
        )
        lamp.images.create(original=ContentFile(factories.photo_bytes(), "lamp.png"))
        factories.series(lamp)

        editor.open("/dashboard/catalogue/")
        editor.looks_at_list()
        if editor.sees("[name=selected_product]"):
            editor.click(f"[name=selected_product][value='{lamp.pk}']")
            # Oscar's script has put a list of its own in its place.
            choose = "document.querySelector('[name=action]').value = 'generate_catalog_pictures'"
            editor.browser.execute_script(choose)
            editor.click("select[name=action] ~ button[type=submit]")
        else:
            # Oscar 4.0 has no actions on selected products.
            editor.click("a[href*='/choose/catalogue.product/']")
        editor.walks()
        editor.open("/dashboard/catalogue/")
        editor.looks_at_list()
        editor.open(lamp.get_absolute_url())
        name = lamp.primary_image().original.name.rpartition("/")[2].partition(".")[0]
        assert name in editor.browser.page_source

"""The review page at speed: decisions are shown at once, sent behind, and none is lost."""

import pytest
from selenium.webdriver import ActionChains, Keys

from nb_catalog import review
from nb_catalog.core.states import ImageState
from nb_catalog.models import (
    Placement,
    ProductImage,
    Rendition,
    ReviewClaim,
    ReviewDecision,
    ReviewEvent,
)
from nb_catalog.publishing import work_on_publications
from tests import factories
from tests.browser.test_admin_way import has_loaded, person

__all__ = ["person"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REVIEW = "/admin/nb_catalog/productimage/review/"


def break_line(browser, *, broken=True):
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": broken, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
    )


@pytest.fixture
def fragile(person):
    """Somebody whose line can be broken; the browser's own words about that are no error of the page."""
    yield person
    break_line(person.browser, broken=False)
    messages = [each["message"] for each in person.browser.get_log("browser")]
    assert all("ERR_INTERNET_DISCONNECTED" in each for each in messages), messages


def test_decisions_outlive_a_broken_line_and_the_page(fragile):
    person, mug = fragile, factories.product(photo=False)
    images = [factories.image(mug, size=(40, 50)) for _ in range(6)]
    person.open(REVIEW)
    person.wait_for(f"#picture-{images[0].pk}.nbc-now")
    person.browser.execute_script("document.querySelector('.nbc-now').focus()")
    person.press("a")
    person.wait_until_sent()
    break_line(person.browser)
    person.press("r", "a", "r")
    person.wait_for(f"#picture-{images[4].pk}.nbc-now")
    person.wait_for_text("#nbc-unsent", "3 decisions are not sent yet.")
    person.press("u")
    person.wait_for(f"#picture-{images[3].pk}.nbc-is-pending")
    assert ReviewDecision.objects.count() == 1
    break_line(person.browser, broken=False)
    person.wait_until_sent()
    person.wait(lambda: not person.wait_for("#nbc-unsent").is_displayed(), for_what="all sent")
    states = list(ProductImage.objects.order_by("pk").values_list("state", flat=True))
    assert states[:3] == ["approved", "rejected", "approved"] and states[4:] == ["pending"] * 2
    assert states[3] == ImageState.PENDING, "it was undone"


def test_decisions_are_sent_by_the_next_page_when_theirs_was_closed(fragile):
    person, image = fragile, factories.image(size=(40, 50))
    person.open(REVIEW)
    break_line(person.browser)
    person.browser.execute_script("document.querySelector('.nbc-now').focus()")
    person.press("r")
    person.wait_for_text("#nbc-unsent", "One decision is not sent yet.")
    key = "return Object.keys(localStorage).find((each) => each.startsWith('nbc-review:'))"
    stored = person.browser.execute_script(key)
    assert stored.startswith(f"nbc-review:{person.user.pk}:")
    break_line(person.browser, broken=False)
    person.open(REVIEW)
    person.wait_until_sent()
    image.refresh_from_db()
    assert image.state == ImageState.REJECTED
    assert ReviewEvent.objects.get().actor == person.user
    assert person.browser.execute_script(key) is None


def test_decisions_wait_while_somebody_else_is_signed_in(person, client):
    image, ben = factories.image(size=(40, 50)), factories.superuser(name="ben")
    person.open(REVIEW)
    person.wait_for(f"#picture-{image.pk}.nbc-now")
    before = person.browser.get_cookie("sessionid")
    client.force_login(ben)
    person.browser.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})
    person.browser.execute_script("document.querySelector('.nbc-now').focus()")
    person.press("r")
    person.wait_for_text("#nbc-unsent", "You are signed out.")
    assert not ReviewDecision.objects.exists()
    person.browser.add_cookie({"name": "sessionid", "value": before["value"]})
    person.wait_until_sent()
    assert ReviewEvent.objects.get().actor == person.user
    messages = [each["message"] for each in person.browser.get_log("browser")]
    assert all("403" in each for each in messages), messages


def two_images():
    """Two in this order: of one product, because products are ordered by their keys as text."""
    mug = factories.product(photo=False)
    return [factories.image(mug, size=(40, 50)) for _ in range(2)]


def test_a_picture_that_is_somebody_elses_by_now_says_whose(person):
    images, ben = two_images(), factories.superuser("ben")
    person.open(f"{REVIEW}?queue=mine")
    person.wait_for(f"#picture-{images[0].pk}.nbc-now")
    ReviewClaim.objects.filter(image=images[1]).update(reviewer=ben)
    person.browser.execute_script("ReviewPage.renewClaims()")
    person.wait_for_text(f"#picture-{images[1].pk}", "ben is judging it until")
    assert not person.sees(f"#picture-{images[0].pk} .nbc-claimed")


def test_who_comes_second_sees_who_was_first_and_the_picture_as_it_is(person):
    images = two_images()
    person.open(REVIEW)
    person.wait_for(f"#picture-{images[0].pk}.nbc-now")
    review.approve(images[0], actor=factories.superuser(name="ben"))
    person.browser.execute_script("document.querySelector('.nbc-now').focus()")
    person.press("r")
    person.wait_for_text("#nbc-messages", "ben decided on")
    person.wait_for(f"#picture-{images[0].pk}.nbc-is-approved:not([data-waits])")
    assert f"Picture {images[0].pk} rejected." not in person.wait_for("#nbc-messages").text


TRANSFORMS = """return [...document.querySelectorAll('#nbc-zoom .nbc-zoom-canvas > img')]
    .map((each) => new DOMMatrix(getComputedStyle(each).transform))
    .map(({ a, e, f }) => [a, e, f].map((value) => Math.round(10 * value) / 10))"""
IN_ZOOM = "return document.querySelector('#nbc-zoom .nbc-zoom-after img').src"


def test_in_full_size_pictures_are_compared_and_decided_about(person):
    mug = factories.product(photo=factories.photo_bytes((300, 375)))
    images = [factories.image(mug, size=(320, 400)) for _ in range(3)]
    person.open(REVIEW)
    person.wait_for(f"#picture-{images[0].pk}.nbc-now")
    person.browser.execute_script("document.querySelector('.nbc-now').focus()")
    person.press("z")
    person.wait(lambda: has_loaded(person, "#nbc-zoom[open] .nbc-zoom-before img"), for_what="it")
    assert mug.packshot.url in person.wait_for(".nbc-zoom-before img").get_attribute("src")
    options = [each.text for each in person.sees("#nbc-zoom-with option")]
    assert options == ["Product photo", f"Picture {images[1].pk}", f"Picture {images[2].pk}"]
    # Both are enlarged and moved together.
    person.press("+", "+", "+")
    person.browser.execute_script("document.querySelector('.nbc-zoom-panes').focus()")
    ActionChains(person.browser).key_down(Keys.SHIFT).send_keys(Keys.ARROW_RIGHT).key_up(
        Keys.SHIFT
    ).perform()
    one, other = person.browser.execute_script(TRANSFORMS)
    assert one == pytest.approx(other, abs=0.2) and one[0] == 2.0 and one[1] < -10
    # The slider lays one over the other.
    person.press("s")
    person.wait_for(".nbc-zoom-panes.nbc-split")
    person.browser.execute_script(
        "const s = document.getElementById('nbc-zoom-split'); s.value = 30;"
        "s.dispatchEvent(new Event('input'))"
    )
    clip = person.wait_for(".nbc-zoom-after .nbc-zoom-canvas").value_of_css_property("clip-path")
    assert clip == "inset(0px 0px 0px 30%)"
    # Arrows and decisions as on the page.
    person.press(Keys.ARROW_RIGHT, Keys.ARROW_LEFT, "a")
    person.wait_for(f"#picture-{images[1].pk}.nbc-now")
    assert f"/{images[1].pk}/" in person.browser.execute_script(IN_ZOOM)
    person.press("r")
    person.wait_for(f"#picture-{images[2].pk}.nbc-now")
    person.wait_until_sent()
    person.press("u")
    person.wait_for(f"#picture-{images[1].pk}.nbc-now")
    assert f"/{images[1].pk}/" in person.browser.execute_script(IN_ZOOM)
    person.wait_until_sent()
    states = list(ProductImage.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["approved", "pending", "pending"]
    person.press(Keys.ESCAPE)
    person.wait(lambda: not person.sees("#nbc-zoom[open]"), for_what="the page again")
    focused = "return document.activeElement.closest('.nbc-picture')?.dataset.pk"
    assert person.browser.execute_script(focused) == str(images[1].pk)


def test_what_is_selected_stays_selected_unless_somebody_else_decides(person):
    kept, taken = (factories.image(factories.product(photo=False), size=(40, 50)) for _ in "ab")
    person.open(REVIEW)
    person.click("#nbc-all")
    review.reject(taken, actor=factories.superuser())
    # As for an event of a moment ago that comes once more: the card is as it was.
    fetched = """
        const [pks, done] = arguments;
        const form = document.querySelector("form[data-cards]");
        form.addEventListener("nbc:more", () => done(true), { once: true });
        form.dispatchEvent(new CustomEvent("nbc:changed", { detail: pks }));
    """
    person.browser.set_script_timeout(60)
    person.browser.execute_async_script(fetched, [str(kept.pk), str(taken.pk)])
    person.wait_for(f"#picture-{taken.pk}.nbc-is-rejected")
    for image, is_selected in ((kept, True), (taken, False)):
        tick = person.wait_for(f"#picture-{image.pk} [name=chosen]")
        assert tick.is_selected() == is_selected


def test_pictures_without_files_are_published_by_a_worker_while_the_cards_go_on(person, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip
    images = [factories.image(factories.product(photo=False), size=(40, 50)) for _ in range(4)]
    person.open(REVIEW)
    for image in images[:3]:
        person.click(f"#picture-{image.pk} [name=chosen]")
    person.click("[value=publish_chosen]")
    # The page says it once, and goes on to the next card before anything is published.
    person.wait_for_text("#nbc-messages", "published once their files for web pages are made.")
    person.wait_for(f"#picture-{images[3].pk}.nbc-now")
    person.wait_until_sent()
    assert person.wait_for("#nbc-messages").text.count("published once") == 1
    for image in images[:3]:
        person.wait_for(f"#picture-{image.pk}.nbc-is-approved:not([data-waits])")
    assert not Placement.objects.exists() and not Rendition.objects.exists()
    work_on_publications()
    shown = set(Placement.objects.values_list("image_id", "slot"))
    assert shown == {(image.pk, "hero") for image in images[:3]}
    person.open(f"{REVIEW}?state=all")
    for image in images[:3]:
        person.wait_for_text(f"#picture-{image.pk} .nbc-published", "Published: hero")

"""The page on which a picture is edited: a mask painted with pointer and keys, prices, a live preview."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.support.ui import Select

from nb_catalog import storage, worker
from nb_catalog.models import ImageJob, ProductImage
from nb_catalog.testing.scripted import Script
from tests import factories
from tests.browser import axe
from tests.browser.test_admin_way import person  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZE = (400, 400)


@pytest.fixture
def script(settings):
    script = Script()
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"paid": script.as_setting()},
        "TIERS": {"draft": {"PROVIDER": "paid", "MODEL": "gemini-nano-banana-2.1", "SIZE": "1K"}},
    }
    return script


@pytest.fixture
def image(script):
    mug = factories.product(name="Stoneware mug", photo=factories.photo_bytes(SIZE))
    return factories.image(
        mug,
        size=SIZE,
        data=factories.photo_bytes(SIZE, ground="#d8c8b0"),
        asked=factories.spec(mug, photo=mug.packshot.name, ratio="1:1"),
    )


class EditPage:
    def __init__(self, person, image):  # noqa: F811
        self.person, self.image = person, image
        person.open(f"/admin/nb_catalog/productimage/{image.pk}/edit/")
        person.wait_for("#nbc-mask summary")

    def run(self, script, *arguments):
        return self.person.browser.execute_script(script, *arguments)

    def open_mask(self):
        self.person.click("#nbc-mask summary")
        self.person.wait_for("#nbc-canvas[data-ready]")

    def choose(self, tool):
        self.run(f"document.querySelector('[name=nbc-tool][value={tool}]').click()")

    def drag(self, *points):
        self.run("document.getElementById('nbc-canvas').scrollIntoView({block: 'center'})")
        left, top, width, height = self.run(
            "const b = document.getElementById('nbc-canvas').getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height]"
        )
        scale = min(width / SIZE[0], height / SIZE[1], 4)

        def send(kind, at, **more):
            x = left + (width - SIZE[0] * scale) / 2 + at[0] * SIZE[0] * scale
            y = top + (height - SIZE[1] * scale) / 2 + at[1] * SIZE[1] * scale
            event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1,
                     "clickCount": 1, **more}  # fmt: skip
            self.person.browser.execute_cdp_cmd("Input.dispatchMouseEvent", event)

        send("mousePressed", points[0])
        for point in points[1:]:
            send("mouseMoved", point)
        send("mouseReleased", points[-1], buttons=0)

    def wait_for_mask(self):
        self.person.wait_for_text("#nbc-mask-state", "mask in use")

    def send(self, words="A red corner"):
        self.run("document.getElementById('id_ask-instruction').value = arguments[0]", words)
        self.run("document.body.dataset.old = ''")
        self.person.click("#nbc-ask-send")
        self.person.wait(
            lambda: not self.person.sees("body[data-old]"), for_what="the page after sending"
        )

    def sent_mask(self):
        spec = ImageJob.objects.latest("pk").spec
        with Image.open(BytesIO(storage.read(spec["edit"]["area"]["file"]))) as mask:
            return np.asarray(mask.convert("L"))


@pytest.fixture
def page(person, image):  # noqa: F811
    return EditPage(person, image)


def test_rectangle_lasso_and_brush_become_the_mask_that_is_sent(page, script):
    page.open_mask()
    page.choose("rectangle")
    page.drag((0.1, 0.1), (0.2, 0.25), (0.3, 0.3))
    page.choose("lasso")
    page.drag((0.6, 0.1), (0.9, 0.1), (0.9, 0.4), (0.61, 0.12))
    page.choose("brush")
    page.drag((0.2, 0.8), (0.8, 0.8))
    page.wait_for_mask()
    page.send()
    mask = page.sent_mask() > 127
    assert mask.shape == SIZE
    at = {(0.2, 0.2): True, (0.05, 0.2): False, (0.35, 0.2): False, (0.85, 0.2): True,
          (0.65, 0.35): False, (0.5, 0.8): True, (0.5, 0.6): False}  # fmt: skip
    for (x, y), painted in at.items():
        assert mask[int(y * 400), int(x * 400)] == painted, (x, y)
    # The rectangle is one, whatever the way to its corner.
    assert mask[44:116, 44:116].mean() > 0.9 and not mask[44:116, 130:230].any()
    worker.drain()
    page.person.wait_for_text(".nbc-steps", "“A red corner”")
    assert ProductImage.objects.filter(parent=page.image, kind="picture").count() == 1


def test_the_keyboard_paints_a_rectangle_and_undoes_it(page):
    page.open_mask()
    page.run("document.getElementById('nbc-canvas').focus()")
    press = ActionChains(page.person.browser)
    press.send_keys("q", " ", *[Keys.ARROW_RIGHT] * 4, *[Keys.ARROW_DOWN] * 4, " ").perform()
    page.wait_for_mask()
    page.person.wait_for_text("#nbc-cut-said", "Area added.")
    assert page.run("return document.activeElement.id") == "nbc-canvas"
    ActionChains(page.person.browser).key_down(Keys.CONTROL).send_keys("z").key_up(
        Keys.CONTROL
    ).perform()
    page.person.wait(
        lambda: page.run("return document.getElementById('nbc-mask-state').textContent") == "",
        for_what="no mask",
    )


def test_the_price_follows_candidates_mode_and_mask(page):
    def price():
        return float(page.run(
            "return document.getElementById('nbc-price').textContent.match(/[0-9.]+[0-9]/)[0]"
        ))  # fmt: skip

    one = price()
    Select(page.person.wait_for("[name=ask-candidates]")).select_by_value("3")
    assert price() == pytest.approx(3 * one, abs=0.0002)
    Select(page.person.wait_for("[name=ask-mode]")).select_by_value("batch")
    assert price() == pytest.approx(1.5 * one, abs=0.0002)
    page.open_mask()
    page.choose("rectangle")
    page.drag((0.1, 0.1), (0.3, 0.3))
    page.wait_for_mask()
    assert price() > 1.5 * one


def test_adjustments_are_seen_before_they_are_made(page):
    person = page.person  # noqa: F811
    set_value = (
        "const f = document.getElementById(arguments[0]); f.value = arguments[1];"
        "f.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.run(set_value, "id_adjust-crop", "4:5")
    person.wait_for("#nbc-preview:not([hidden])")
    width, height = page.run(
        "const c = document.getElementById('nbc-preview'); return [c.width, c.height]"
    )
    assert (width, height) == (320, 400)
    page.run(set_value, "id_adjust-extend", "16:9")
    person.wait_for_text("#nbc-preview-said", "local renderer")
    assert person.sees("#nbc-preview[hidden]")
    errors = [each for each in person.browser.get_log("browser") if "422" not in each["message"]]
    assert errors == []
    page.run(set_value, "id_adjust-extend", "")
    person.wait_for("#nbc-preview:not([hidden])")
    page.run("document.body.dataset.old = ''")
    person.click("#nbc-adjust [type=submit]")
    person.wait(lambda: not person.sees("body[data-old]"), for_what="the page after sending")
    worker.drain()
    person.wait_for_text(".nbc-steps", "cropped to 4:5")


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize("size", [axe.DESKTOP, axe.PHONE])
def test_it_is_accessible_and_no_wider_than_the_window(page, size):
    child = factories.image(
        page.image.catalog_object,
        parent=page.image,
        asked=factories.spec(
            page.image.catalog_object,
            edit={"parent": page.image.sha256, "instruction": "Warmer light"},
        ),
    )
    page.person.open(f"/admin/nb_catalog/productimage/{child.pk}/edit/")
    axe.show(page.person.browser, theme="light", size=size)
    page.person.open(f"/admin/nb_catalog/productimage/{page.image.pk}/edit/")
    page.open_mask()
    page.choose("rectangle")
    page.drag((0.1, 0.1), (0.3, 0.3))
    for theme in ("light", "dark"):
        axe.show(page.person.browser, theme=theme, size=size)
        assert axe.violations(page.person.browser) == []
        wide, window = page.run("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert wide <= window

"""The editor of a cut-out: painted with pointer, pen, touch and keys, solved, saved, kept and undone."""

from io import BytesIO

import pytest
from PIL import Image
from selenium.webdriver import ActionChains, Keys

from nb_catalog import cutouts, storage
from nb_catalog.models import PhotoCutout
from tests import factories
from tests.browser import axe
from tests.browser.test_admin_way import person  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZE = (400, 500)
# Shares of the photo: in the product's mask, and beside it.
INSIDE, OUTSIDE = (0.5, 0.5), (0.1, 0.1)


class Editor:
    """The page of one cut-out, and what is stored of it."""

    def __init__(self, person, row):  # noqa: F811
        self.person, self.row = person, row

    def open(self):
        self.person.open(f"/admin/nb_catalog/photocutout/{self.row.pk}/change/")
        self.ready()

    def ready(self):
        self.person.wait_for("#nbc-canvas[data-ready]")

    def run(self, script, *arguments):
        return self.person.browser.execute_script(script, *arguments)

    def place(self, at):
        """Pixels of the window for a share of the photo, which is shown as a whole."""
        self.run("document.querySelector('.nbc-cut-stage').scrollIntoView({block: 'center'})")
        left, top, width, height = self.run(
            "const b = document.getElementById('nbc-canvas').getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height]"
        )
        scale = min(width / SIZE[0], height / SIZE[1])
        return (
            left + (width - SIZE[0] * scale) / 2 + at[0] * SIZE[0] * scale,
            top + (height - SIZE[1] * scale) / 2 + at[1] * SIZE[1] * scale,
        )

    def drag(self, *points, **options):
        def send(kind, at, **more):
            x, y = self.place(at)
            event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1,
                     "clickCount": 1, **options, **more}  # fmt: skip
            self.person.browser.execute_cdp_cmd("Input.dispatchMouseEvent", event)

        send("mousePressed", points[0])
        for point in points[1:]:
            send("mouseMoved", point)
        send("mouseReleased", points[-1], buttons=0)

    def choose(self, tool):
        self.run(f"document.querySelector('[name=nbc-tool][value={tool}]').click()")

    def set_size(self, pixels):
        self.run(
            "const f = document.getElementById('nbc-size'); f.value = arguments[0];"
            "f.dispatchEvent(new Event('input', {bubbles: true}))", pixels,
        )  # fmt: skip

    def save(self):
        button = self.person.wait_for("#nbc-save")
        self.person.wait(button.is_enabled, for_what="something to save")
        self.run("document.getElementById('nbc-editor').dataset.old = ''")
        self.person.click("#nbc-save")

    def saved(self):
        self.person.wait(
            lambda: not self.person.sees("#nbc-editor[data-old]"), for_what="a page after saving"
        )
        self.ready()

    def mask(self):
        """The stored mask: a function of a share of the photo."""
        name = PhotoCutout.objects.get(pk=self.row.pk).mask.name
        picture = Image.open(BytesIO(storage.read(name)))
        return lambda at: picture.getpixel(
            (int(at[0] * picture.width), int(at[1] * picture.height))
        )

    def has_draft(self):
        begins = f"each.startsWith('nbc-cutout-{self.row.pk}-')"
        return self.run(f"return Object.keys(sessionStorage).some((each) => {begins})")

    def says(self, text):
        self.person.wait_for_text("#nbc-cut-said", text)


@pytest.fixture
def editor(person):  # noqa: F811
    mug = factories.product(photo=factories.photo_bytes(SIZE))
    page = Editor(person, factories.cutout(mug))
    page.open()
    return page


def test_what_is_painted_is_saved_and_undone(editor):
    editor.set_size(60)
    editor.drag(OUTSIDE, (0.2, 0.1))
    editor.choose("erase")
    editor.drag(INSIDE, (0.55, 0.5))
    editor.save()
    editor.saved()
    mask = editor.mask()
    assert (mask(OUTSIDE), mask(INSIDE), mask((0.5, 0.7)), mask((0.1, 0.8))) == (255, 0, 255, 0)
    assert not editor.has_draft()
    assert "Mask replaced" in editor.person.wait_for(".nbc-history").text
    editor.person.click("[value^='undo:']")
    editor.person.wait_for_text(".messagelist", "1 decision undone.")
    mask = editor.mask()
    assert (mask(OUTSIDE), mask(INSIDE)) == (0, 255)


def test_undo_and_redo_step_through_what_was_painted(editor):
    editor.set_size(60)
    editor.drag(OUTSIDE, (0.15, 0.1))
    editor.drag((0.9, 0.9), (0.85, 0.9))
    editor.person.click("#nbc-undo")
    editor.person.click("#nbc-undo")
    assert not editor.person.wait_for("#nbc-save").is_enabled()
    editor.person.click("#nbc-redo")
    editor.save()
    editor.saved()
    mask = editor.mask()
    assert (mask(OUTSIDE), mask((0.9, 0.9))) == (255, 0)


def test_a_reload_by_accident_loses_nothing(editor):
    editor.set_size(60)
    editor.drag(OUTSIDE, (0.15, 0.1))
    editor.person.wait(editor.has_draft, for_what="a draft")
    editor.person.browser.refresh()
    editor.ready()
    editor.says("Your unsaved changes were restored.")
    editor.save()
    editor.saved()
    assert editor.mask()(OUTSIDE) == 255


def test_discarded_changes_are_gone(editor):
    editor.set_size(60)
    editor.drag(OUTSIDE, (0.15, 0.1))
    editor.person.wait(editor.has_draft, for_what="a draft")
    editor.run("document.getElementById('nbc-editor').dataset.old = ''")
    editor.person.click("#nbc-discard")
    editor.saved()
    assert not editor.has_draft()
    assert not editor.person.wait_for("#nbc-save").is_enabled()


def test_the_keyboard_paints_too(editor):
    editor.set_size(60)
    canvas = editor.person.wait_for("#nbc-canvas")
    canvas.send_keys("e")
    editor.says("Erase")
    ActionChains(editor.person.browser).key_down(Keys.SPACE).send_keys(
        Keys.ARROW_RIGHT, Keys.ARROW_RIGHT
    ).key_up(Keys.SPACE).perform()
    editor.says("background")
    canvas.send_keys("b")
    for _ in range(20):
        canvas.send_keys(Keys.SHIFT, Keys.ARROW_LEFT)
    canvas.send_keys(Keys.SPACE)
    canvas.send_keys(Keys.CONTROL, "z")
    editor.says("Undone.")
    canvas.send_keys(Keys.CONTROL, "y")
    editor.says("Redone.")
    editor.save()
    editor.saved()
    mask = editor.mask()
    assert (mask(INSIDE), mask((0.01, 0.5))) == (0, 255)


def test_rough_strokes_find_the_outline(editor):
    editor.person.click("#nbc-clear")
    editor.choose("keep")
    editor.set_size(20)
    editor.drag((0.4, 0.4), (0.6, 0.6))
    editor.choose("remove")
    editor.drag((0.1, 0.05), (0.9, 0.05))
    editor.person.click("#nbc-solve")
    editor.says("The outline was found.")
    editor.save()
    editor.saved()
    mask = editor.mask()
    # The photo's product is rounder than the mask that was there.
    assert (mask(INSIDE), mask((0.3, 0.25)), mask(OUTSIDE)) == (255, 255, 0)
    assert mask((0.252, 0.202)) < 128


def test_soften_blurs_the_edge(editor):
    editor.choose("soften")
    editor.set_size(80)
    editor.drag((0.25, 0.4), (0.25, 0.6))
    editor.save()
    editor.saved()
    mask = editor.mask()
    assert 40 < mask((0.25, 0.5)) < 215
    assert (mask((0.25, 0.22)), mask(INSIDE)) == (255, 255)


def test_the_second_person_is_told_and_nothing_is_lost(editor):
    editor.set_size(60)
    editor.drag(OUTSIDE, (0.15, 0.1))
    cutouts.replace_mask(
        editor.row, factories.mask_bytes(SIZE, box=(300, 400, 390, 490)), actor=None
    )
    editor.save()
    editor.person.wait_for_text("#nbc-conflict", "Someone else has changed this cut-out")
    assert editor.mask()(OUTSIDE) == 0
    editor.person.click("#nbc-theirs")
    editor.says("This is their mask.")
    editor.person.click("#nbc-undo")
    editor.save()
    editor.saved()
    mask = editor.mask()
    assert (mask(OUTSIDE), mask(INSIDE), mask((0.9, 0.9))) == (255, 255, 0)
    # The browser reports the refusal, too.
    messages = [each["message"] for each in editor.person.browser.get_log("browser")]
    assert all("409" in each for each in messages), messages


def width_of_stroke(mask, y):
    return sum(mask((x / 400, y)) > 127 for x in range(400))


def test_a_pen_paints_by_its_pressure_unless_that_is_off(editor):
    editor.set_size(60)
    pen = {"pointerType": "pen", "force": 0.25}
    editor.drag((0.1, 0.06), (0.1, 0.1), **pen)
    editor.person.click("#nbc-pressure")
    editor.drag((0.1, 0.88), (0.1, 0.92), **pen)
    editor.save()
    editor.saved()
    mask = editor.mask()
    light, full = width_of_stroke(mask, 0.08), width_of_stroke(mask, 0.9)
    assert (light, full) == (pytest.approx(24, abs=3), pytest.approx(60, abs=3))


def test_one_finger_paints_and_two_zoom(editor):
    """In one test: the driver sends touches to no further page of the session."""
    axe.show(editor.person.browser, theme="light", size=axe.PHONE)
    editor.open()
    assert editor.run("return document.documentElement.scrollWidth") <= axe.PHONE[0]
    zoom = editor.person.wait_for("#nbc-zoom-now")
    before = int(zoom.text.split()[0])

    def touch(kind, *points):
        places = [editor.place(point) for point in points]
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        editor.person.browser.execute_cdp_cmd(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches}
        )

    editor.set_size(60)
    touch("touchStart", OUTSIDE)
    touch("touchMove", (0.15, 0.12))
    touch("touchEnd")
    touch("touchStart", (0.4, 0.5), (0.6, 0.5))
    touch("touchMove", (0.3, 0.5), (0.7, 0.5))
    touch("touchEnd")
    assert int(zoom.text.split()[0]) == pytest.approx(2 * before, rel=0.05)
    editor.save()
    editor.saved()
    mask = editor.mask()
    assert (mask(OUTSIDE), mask(INSIDE), mask((0.35, 0.5)), mask((0.1, 0.8))) == (255, 255, 255, 0)


def test_what_is_not_saved_is_shown_in_a_scene(person):  # noqa: F811
    factories.scene("paper")
    page = Editor(person, factories.cutout(factories.product(photo=factories.photo_bytes(SIZE))))
    page.open()
    person.click("#nbc-in-scene summary")
    pixels = (
        "const c = document.getElementById('nbc-scene');"
        "return c.width < 10 ? '' : c.toDataURL('image/jpeg')"
    )
    before = person.wait(lambda: page.run(pixels), for_what="a scene")
    page.set_size(200)
    page.drag((0.1, 0.5), (0.3, 0.5))
    person.wait(lambda: page.run(pixels) not in ("", before), for_what="another picture")
    person.click("#nbc-in-scene form button")
    assert person.wait_for("#nbc-scene-full canvas").is_displayed()


def test_without_javascript_a_mask_is_uploaded(editor, tmp_path):
    person = editor.person  # noqa: F811
    person.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    person.open(f"/admin/nb_catalog/photocutout/{editor.row.pk}/change/")
    assert not person.wait_for("#nbc-canvas").is_displayed()
    path = tmp_path / "mask.png"
    path.write_bytes(factories.mask_bytes(SIZE, box=(10, 10, 90, 90)))
    person.wait_for("#nbc-file").send_keys(str(path))
    person.wait_for(".nbc-upload button").click()
    person.reads("The mask was saved.", ".messagelist")
    assert editor.mask()(OUTSIDE) == 255


def test_a_photo_that_cannot_be_loaded_is_reported(editor):
    storage_of = editor.row.catalog_object.packshot
    storage_of.storage.delete(storage_of.name)
    # The photo is read again: browsers keep it for long.
    PhotoCutout.objects.filter(pk=editor.row.pk).update(photo_sha256="0" * 64)
    editor.person.open(f"/admin/nb_catalog/photocutout/{editor.row.pk}/change/")
    editor.says("cannot be loaded")
    log = editor.person.browser.get_log
    seen = []

    def both():
        # The mask of that photo is not found either, and comes before or after it.
        seen.extend(each["message"] for each in log("browser"))
        return all(any(f"/{name}-" in each for each in seen) for name in ("photo", "mask"))

    editor.person.wait(both, for_what="the 404 of the photo and its mask in the log")

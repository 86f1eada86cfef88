"""Boxes of a layout, dragged and resized over its picture."""

import json

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from nb_catalog.models import TextLayout
from tests import factories
from tests.browser.test_admin_way import person  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def editor(person, settings):  # noqa: F811
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "ar"]}
    row = factories.layout()
    person.open(f"/admin/nb_catalog/textlayout/{row.pk}/change/")
    person.wait(
        lambda: len(person.sees(".nbc-box")) == 2 and drawn(person), for_what="boxes on a picture"
    )
    return person


def drawn(someone):
    script = "const i = document.querySelector('.nbc-stage img'); return i.naturalWidth > 0"
    return someone.browser.execute_script(script)


def place(someone, number=0):
    content = json.loads(someone.wait_for("#id_content").get_attribute("value"))
    return content["boxes"][number]["place"]


def drag(someone, css, across, down, *, number=0):
    """By shares of the picture."""
    someone.browser.execute_script(
        "document.querySelector('.nbc-stage').scrollIntoView({block: 'start'})"
    )
    size = someone.wait_for(".nbc-stage").size
    what = someone.sees(css)[number]
    ActionChains(someone.browser).drag_and_drop_by_offset(
        what, round(across * size["width"]), round(down * size["height"])
    ).perform()


def test_a_box_is_dragged_and_resized_and_the_json_says_so(editor):
    before = place(editor)
    drag(editor, ".nbc-box", 0.05, 0.1)
    moved = place(editor)
    assert moved["start"] == pytest.approx(before["start"] + 0.05, abs=0.006)
    assert moved["top"] == pytest.approx(before["top"] + 0.1, abs=0.006)
    assert (moved["width"], moved["height"]) == (before["width"], before["height"])
    drag(editor, ".nbc-handle", -0.2, 0.05)
    sized = place(editor)
    assert sized["width"] == pytest.approx(before["width"] - 0.2, abs=0.006)
    assert sized["height"] == pytest.approx(before["height"] + 0.05, abs=0.006)
    assert (sized["start"], sized["top"]) == (moved["start"], moved["top"])
    editor.click("[name=_save]")
    editor.wait_for(".messagelist .success")
    row = TextLayout.objects.get()
    assert row.version == 2 and row.content["boxes"][0]["place"] == sized
    # On its way over the product, the preview answers that the text does not fit there.
    messages = [each["message"] for each in editor.browser.get_log("browser")]
    assert all("preview" in each and "status of 400" in each for each in messages)


def test_no_box_leaves_the_picture(editor):
    drag(editor, ".nbc-box", 0.4, -0.15)
    moved = place(editor)
    assert moved["start"] == pytest.approx(1 - moved["width"]) and moved["top"] == 0


def test_the_keyboard_does_it_too_and_says_where_the_box_is(editor):
    before = place(editor, 1)
    box = editor.sees(".nbc-box")[1]
    box.send_keys(Keys.ARROW_UP)
    box.send_keys(Keys.ARROW_RIGHT)
    box.send_keys(Keys.SHIFT + Keys.ARROW_LEFT)
    after = place(editor, 1)
    changes = {edge: round(after[edge] - before[edge], 3) for edge in after}
    assert changes == {"start": 0.01, "top": -0.01, "width": -0.01, "height": 0}
    assert editor.browser.switch_to.active_element == box
    assert box.get_attribute("aria-label").startswith("price, start 6%, top 90%")


def test_in_arabic_a_box_starts_at_the_right(editor):
    left = editor.sees(".nbc-box")[1].location["x"]
    Select(editor.wait_for("#nbc-locale")).select_by_value("ar")
    editor.wait(lambda: editor.sees(".nbc-box")[1].location["x"] > left + 50, for_what="a mirror")
    before = place(editor, 1)
    drag(editor, ".nbc-box", -0.05, 0, number=1)
    assert place(editor, 1)["start"] == pytest.approx(before["start"] + 0.05, abs=0.006)


def test_what_a_channel_covers_is_shown_and_said(editor):
    Select(editor.wait_for("#nbc-channel")).select_by_value("reels")
    labels = [box.get_attribute("aria-label") for box in editor.sees(".nbc-box")]
    assert all(label.endswith("covered") for label in labels)
    height = editor.wait_for(".nbc-stage").size["height"]
    edge = editor.wait_for(".nbc-covers").value_of_css_property("border-bottom-width")
    assert float(edge.removesuffix("px")) == pytest.approx(0.35 * height, abs=1)


def test_json_that_is_not_finished_keeps_the_page_usable(editor):
    field = editor.browser.find_element(By.ID, "id_content")
    typed = field.get_attribute("value")
    field.send_keys(Keys.CONTROL + Keys.END)
    field.send_keys(Keys.BACKSPACE)
    editor.wait(lambda: not editor.sees(".nbc-box"), for_what="no boxes")
    field.send_keys("}")
    editor.wait(lambda: len(editor.sees(".nbc-box")) == 2, for_what="boxes again")
    assert json.loads(field.get_attribute("value")) == json.loads(typed)
    editor.browser.get_log("browser")  # the preview's 400 while it was no JSON

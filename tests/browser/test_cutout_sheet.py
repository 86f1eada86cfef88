"""The contact sheet: decided by key and in bulk, on any ground; what comes next comes without asking."""

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from nb_catalog.admin.cutouts import sheet
from nb_catalog.models import PhotoCutout
from tests import factories
from tests.browser.test_admin_way import has_loaded, person  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHEET = "/admin/nb_catalog/photocutout/sheet/"


def states():
    return list(PhotoCutout.objects.order_by("-pk").values_list("state", flat=True))


def focus(someone, row):
    someone.browser.execute_script(f"document.getElementById('picture-{row.pk}').focus()")


def test_keys_decide_the_focused_card_and_the_next_comes_by_itself(person, monkeypatch):  # noqa: F811
    monkeypatch.setattr(sheet, "PER_PAGE", 3)
    rows = [factories.cutout() for _ in range(5)][::-1]
    person.open(SHEET)
    person.wait(lambda: has_loaded(person, ".nbc-zoom img"), for_what="a picture")
    assert len(person.sees(".nbc-cutout-card")) == 3
    person.press("a")
    focus(person, rows[0])
    person.press("a")
    person.wait_for(f"#picture-{rows[0].pk}.nbc-cutout-confirmed")
    person.wait_for(f"#picture-{rows[1].pk}.nbc-now")
    person.wait(lambda: len(person.sees(".nbc-cutout-card")) == 5, for_what="the rest")
    person.press("r")
    person.wait_for(f"#picture-{rows[1].pk}.nbc-cutout-refused")
    person.wait_for(f"#picture-{rows[2].pk}.nbc-now")
    person.press("2")
    person.wait_for_text(f"#picture-{rows[2].pk}", "Full frame")
    person.wait_for_text("#nbc-found", "2 cut-outs")
    assert states() == ["confirmed", "refused", "doubtful", "doubtful", "doubtful"]
    person.click("#nbc-messages button")
    person.wait_for(f"#picture-{rows[2].pk}.nbc-is-open")
    assert PhotoCutout.objects.get(pk=rows[2].pk).kind == ""


def test_several_are_confirmed_at_once_and_undone_at_once(person):  # noqa: F811
    for _ in range(3):
        factories.cutout()
    person.open(SHEET)
    person.click("#nbc-all")
    person.click("[value=confirm_chosen]")
    person.wait_for_text("#nbc-messages", "The selected cut-outs were changed.")
    assert states() == ["confirmed"] * 3
    person.click("#nbc-messages button")
    person.wait(lambda: states() == ["doubtful"] * 3, for_what="the decisions to be undone")


def test_the_ground_changes_in_place(person):  # noqa: F811
    factories.scene("paper")
    row = factories.cutout()
    person.open(SHEET)

    def colour():
        return person.wait_for(".nbc-zoom img").value_of_css_property("background-color")

    for name, expected in (("magenta", "255, 0, 255"), ("black", "0, 0, 0"), ("white", "255, 255")):
        Select(person.wait_for("#id_ground")).select_by_value(name)
        assert expected in colour()
        assert f"ground={name}" in person.browser.current_url
    Select(person.wait_for("#id_ground")).select_by_value("scene:paper")
    person.wait(lambda: has_loaded(person, ".nbc-zoom img"), for_what="the scene")
    assert "scene=paper" in person.wait_for(".nbc-zoom img").get_attribute("src")
    person.click(f"[value='confirm:{row.pk}']")
    person.wait_for(".nbc-cutout-confirmed")
    assert "scene=paper" in person.wait_for(".nbc-zoom img").get_attribute("src")


def test_every_button_works_without_javascript(person):  # noqa: F811
    rows = [factories.cutout() for _ in range(2)]
    person.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    person.open(SHEET)
    # Not by the mouse: the bar at the bottom may be over it.
    person.wait_for(f"[value='confirm:{rows[0].pk}']").send_keys(Keys.ENTER)
    person.reads("1 cut-out confirmed.", ".messagelist")
    card = person.browser.find_element(By.ID, f"picture-{rows[1].pk}")
    card.find_element(By.NAME, "chosen").send_keys(Keys.SPACE)
    person.wait_for("[value=lifestyle_chosen]").click()
    person.reads("1 photo is set to “Lifestyle”.", ".messagelist")
    assert PhotoCutout.objects.get(pk=rows[1].pk).kind == "lifestyle"

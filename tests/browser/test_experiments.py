"""Comparing two scenes in a real browser: planned, voted on by keys alone, closed, used."""

import os

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from nb_catalog import storage
from nb_catalog.models import Experiment, ExperimentVote
from nb_catalog.review.votes import sides_of
from tests import factories
from tests.browser import axe
from tests.browser.test_admin_way import person
from tests.experiments.conftest import script, started, two_scenes

__all__ = ["person", "script"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BASE = "/admin/nb_catalog/experiment/"
LOOKS = [(theme, size) for theme in ("light", "dark") for size in (axe.PHONE, axe.DESKTOP)]


def press(person, key):
    person.wait_for("#nbc-ballot-form")
    person.browser.find_element(By.TAG_NAME, "body").send_keys(key)


def test_a_look_is_chosen_by_the_keys_alone(person, script):
    made = started(3, actor=None)
    made.row.run.jobs.update(state="succeeded", live_key=None)
    two_scenes()
    person.open(f"{BASE}add/")
    person.click("button[name=load]")
    person.wait(
        lambda: "Dark granite" in person.wait_for("#id_prompt").get_attribute("value"),
        for_what="the prompt of the scene",
    )
    Select(person.wait_for("#id_scene_b")).select_by_value("marble")
    # The first one in the list depends on what was registered last.
    Select(person.wait_for("#id_model")).select_by_value("testcatalog.mug")
    person.click("#nbc-update")
    person.wait_for_text("#nbc-plan", "6 pictures to generate")
    person.open(f"{BASE}{made.row.pk}/vote/")
    chosen = {}
    for number, (key, side) in enumerate(
        ((Keys.ARROW_LEFT, 0), (Keys.ARROW_RIGHT, 1), (Keys.SPACE, None)), start=1
    ):
        person.wait_for_text(".nbc-vote-progress", f"on {number - 1} of 3")
        pair = int(person.wait_for("[name=product]").get_attribute("value"))
        chosen[pair] = side
        press(person, key)
    person.wait_for_text("#content-main", "You have voted on every product")
    voter = ExperimentVote.objects.first().voter
    for row in ExperimentVote.objects.select_related("pair"):
        side = chosen[row.pair_id]
        assert row.choice == ("tie" if side is None else sides_of(row.pair, voter=voter)[side])
    # A focused button does what Space does to buttons, and arrows vote for nothing then.
    person.open(f"{BASE}{made.row.pk}/vote/?product={made.pairs[0].pk}")
    right = person.wait_for(".nbc-ballot-picture[value=right]")
    right.send_keys(Keys.ARROW_LEFT)
    right.send_keys(Keys.SPACE)
    person.wait_for_text("#content-main", "You have voted on every product")
    expected = sides_of(made.pairs[0], voter=voter)[1]
    assert ExperimentVote.objects.get(pair=made.pairs[0]).choice == expected
    person.click("a[href$='/result/']")
    person.wait_for_text("#content-main", "No difference shown")
    person.click("form[action$='/close/'] button")
    person.wait_for_text(".messagelist", "Closed.")
    assert Experiment.objects.get().closed_at is not None
    person.click("form[action$='/use/'] button")
    person.wait_for_text("h1", "Generate pictures")


def test_the_pages_are_no_wider_than_a_phone(person, script):
    colours = {"a": "#e8e4da", "b": "#3a3f44"}
    made = started(5, lacks=[(4, "b")], name="Light or dark stone")
    made.row.run.jobs.exclude(state="refused").update(state="succeeded", live_key=None)
    if os.environ.get("NB_SHOTS"):
        # Pictures that look like some.
        for (_pair, arm), image in made.images.items():
            data = factories.photo_bytes((800, 1000), ground=colours[arm])
            stored = storage.store(data, folder="originals", mime_type="image/png")
            image.file, image.sha256, image.width, image.height = (
                stored.name,
                stored.sha256,
                800,
                1000,
            )
            image.save()
    voter = factories.staff(name="colleague")
    for number, pair in enumerate(made.pairs[:4]):
        pair.votes.create(voter=voter, choice="b" if number else "tie")
    pages = {
        "new": f"{BASE}add/",
        "vote": f"{BASE}{made.row.pk}/vote/",
        "result": f"{BASE}{made.row.pk}/result/",
    }
    for name, path in pages.items():
        for theme, size in LOOKS:
            axe.show(person.browser, theme=theme, size=size)
            person.open(path)
            wide = person.browser.execute_script("return document.documentElement.scrollWidth")
            assert wide <= size[0], (name, theme, size)
            if folder := os.environ.get("NB_SHOTS"):
                tall = person.browser.execute_script("return document.documentElement.scrollHeight")
                axe.show(person.browser, theme=theme, size=(size[0], min(tall, 2600)))
                person.browser.save_screenshot(f"{folder}/{name}-{theme}-{size[0]}.png")

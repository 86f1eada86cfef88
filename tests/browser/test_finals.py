"""Making a draft final in a real browser: plan, price, confirmation, choice, publication."""

import os

import pytest
from selenium.webdriver.common.by import By

from nb_catalog import worker
from nb_catalog.core.states import ImageState
from nb_catalog.models import ProductImage, Run
from nb_catalog.publishing import placements
from tests import factories
from tests.browser import axe
from tests.browser.test_admin_way import person
from tests.escalation.conftest import final_row, paid, script

__all__ = ["person", "script"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = [(theme, size) for theme in ("light", "dark") for size in (axe.PHONE, axe.DESKTOP)]
REVIEW = "/admin/nb_catalog/productimage/review/"


def chosen_tier(person, name):
    person.click(f"[name=tier][value={name}]")


def test_a_draft_is_made_final_chosen_and_published_in_its_place(person, script):
    product = factories.product(name="Stoneware mug", photo=factories.photo_bytes((600, 750)))
    image = paid(product, treatment="locked", state="approved", size=(400, 500))
    placements.publish(image, slot="hero", actor=None)
    person.open(f"{REVIEW}?picture={image.pk}")
    person.click(f"a[href$='images={image.pk}']")
    person.wait_for_text("#nbc-plan", "2 pictures to generate")
    chosen_tier(person, "draft")
    person.wait_for_text("#nbc-plan", "is not a higher one")
    assert not person.wait_for("#nbc-start").is_enabled()
    chosen_tier(person, "premium")
    person.wait_for_text("#nbc-plan", "2 pictures to generate")
    person.wait(lambda: person.wait_for("#nbc-start").is_enabled(), for_what="a plan to start")
    person.click("#nbc-start")
    person.wait_for_text("h1", "Spend up to")
    assert Run.objects.count() == 0
    person.click("button[name=start]")
    person.wait_for_text(".messagelist", "Started")
    assert Run.objects.get().jobs.count() == 2
    worker.drain()
    person.open(f"{REVIEW}?draft={image.pk}")
    person.wait_for_text("#nbc-review", f"Final of picture {image.pk} (draft)")
    final = ProductImage.objects.filter(draft=image).order_by("pk").first()
    person.click(f"button[value='publish_final:{final.pk}']")
    person.wait_for_text("#nbc-messages", "replaces its draft in hero")
    assert final.placements.get().slot == "hero"
    states = ProductImage.objects.filter(draft=image).order_by("pk").values_list("state", flat=True)
    assert list(states) == [ImageState.APPROVED, ImageState.RETIRED]


def test_the_pages_are_no_wider_than_a_phone(person, script):
    image = paid(factories.product(name="Mug"), state="approved", size=(400, 500))
    placements.publish(image, slot="hero", actor=None)
    more = [paid(size=(400, 500)) for _ in range(3)]
    for number in (1, 2):
        final_row(
            image, number=number, size=(400, 500),
            checks={
                "composition": {"score": 0.4 * number**2, "worst": "light", "parts": {}},
                "final": {"difference_microusd": 206_400},
            },
        )  # fmt: skip
    keys = ",".join(str(each.pk) for each in more)
    for name, path in (
        ("finals", f"/admin/nb_catalog/run/finals/?images={keys}"),
        ("compared", f"{REVIEW}?draft={image.pk}"),
    ):
        for theme, size in LOOKS:
            axe.show(person.browser, theme=theme, size=size)
            person.open(path)
            wide = person.browser.execute_script("return document.documentElement.scrollWidth")
            assert wide <= size[0], (name, theme, size)
            if folder := os.environ.get("NB_SHOTS"):
                tall = person.browser.execute_script("return document.documentElement.scrollHeight")
                axe.show(person.browser, theme=theme, size=(size[0], min(tall, 2600)))
                person.browser.save_screenshot(f"{folder}/{name}-{theme}-{size[0]}.png")
    assert person.browser.find_elements(By.CSS_SELECTOR, ".nbc-draft")

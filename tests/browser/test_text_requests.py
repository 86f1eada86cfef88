"""Requests for texts fill their pages in when they are done, and disturb nobody who is typing."""

import json
from decimal import Decimal

import pytest
from selenium.webdriver.common.by import By

from nb_catalog import worker
from nb_catalog.providers.alt_text import AltTextProvider, AltTextResult
from nb_catalog.providers.translation import TranslationProvider, TranslationResult
from nb_catalog.providers.types import Payload, RawResponse
from tests import factories
from tests.browser.test_admin_way import person

__all__ = ["person"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Echo:
    """Answers at once and free of charge."""

    name = "The echo"
    model = "echo"

    def cost(self, usage):
        return Decimal(0)

    async def send(self, payload):
        return RawResponse(body=json.dumps(dict(payload.body)))


class EchoTranslation(Echo, TranslationProvider):
    def estimate(self, texts):
        return Decimal(0)

    def build(self, texts, *, source, target):
        return Payload(model=self.model, body=dict(texts))

    def parse(self, answer):
        return TranslationResult(texts=json.loads(answer.body))


class EchoAltText(Echo, AltTextProvider):
    def estimate(self, *, locales, about):
        return Decimal(0)

    def build(self, picture, mime_type, *, locales, about):
        return Payload(model=self.model, body={code: f"A mug ({code})" for code in locales})

    def parse(self, answer):
        return AltTextResult(texts=json.loads(answer.body))


@pytest.fixture(autouse=True)
def shop(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "LOCALES": ["en", "de", "fr"],
        "TRANSLATION_PROVIDER": {"BACKEND": f"{__name__}.EchoTranslation"},
        "ALT_TEXT_PROVIDER": {"BACKEND": f"{__name__}.EchoAltText"},
    }


def test_translations_appear_on_the_page_that_requested_them(person):
    deck = factories.deck(en={"headline": "Autumn sale"})
    person.open(f"/admin/nb_catalog/copydeck/{deck.pk}/files/")
    person.click("[data-live=proposals] button[lang=de]")
    person.wait_for_text("[data-live=requested]", "Requested: Deutsch.")
    # The form of a file, which the user has open, stays the same element.
    field = person.wait_for("#nbc-file")
    worker.drain()
    person.wait_for_text("[data-live=proposals]", "1 proposal to accept")
    assert not person.sees("[data-pending]") and field.is_displayed()
    assert "français (1)" in person.wait_for("[data-live=proposals]").text
    person.click("[data-live=proposals] a")
    person.wait_for_text(".nbc-deck", "Proposed by The echo")


def test_proposals_appear_beside_a_text_that_is_being_typed(person):
    image = factories.image(factories.product(name="Blue mug"))
    person.open(f"/admin/nb_catalog/productimage/{image.pk}/alt/")
    person.click("[data-live=offer] button")
    person.wait_for_text("[data-live=requested]", "Requested:")
    person.wait_for("#alt-de").send_keys("Ein Bech")
    worker.drain()
    person.wait_for_text("[data-live=proposal-de]", "A mug (de)")
    german = person.wait_for("#alt-de")
    assert german.get_attribute("value") == "Ein Bech"
    french = person.wait_for("[data-live=proposal-fr]")
    french.find_element(By.CSS_SELECTOR, "[data-use]").click()
    assert person.wait_for("#alt-fr").get_attribute("value") == "A mug (fr)"
    german.send_keys("er")
    assert german.get_attribute("value") == "Ein Becher"

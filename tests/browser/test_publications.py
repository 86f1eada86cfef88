"""Pictures are published as one and rolled back, as somebody at the browser sees it."""

import pytest
from selenium.webdriver.support.ui import Select

from nb_catalog.core.states import ImageState
from nb_catalog.models import Placement, Publication
from nb_catalog.publishing import work_on_publications
from tests import factories
from tests.browser.test_admin_way import person

__all__ = ["person"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_page_follows_a_publication_until_it_is_made_and_rolls_it_back(person, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [320], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip
    for _ in range(3):
        factories.image(factories.product(), state=ImageState.APPROVED, size=(80, 100))
    person.open("/admin/nb_catalog/productimage/")
    person.click("#action-toggle")
    Select(person.wait_for("select[name=action]")).select_by_value("publish_pictures")
    person.click("button[name=index]")
    Select(person.wait_for("#id_slot")).select_by_value("hero")
    person.click("form .default")
    person.wait_for_text("#content-main", "The files of 0 of 3 pictures are ready")
    assert not Placement.objects.exists()
    work_on_publications()
    # The page was not loaded again.
    person.wait_for_text("[data-part=progress]", "Published.")
    assert Placement.objects.count() == 3
    person.click("[data-part=buttons] a")
    person.wait_for_text("#content-main", "What changes (3)")
    person.click("form .default")
    person.wait_for_text(".messagelist", "3 places rolled back.")
    assert not Placement.objects.exists()
    assert Publication.objects.count() == 2

"""The page of a series in a real browser: sorting with the pointer and the keyboard, two people at once."""

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from nb_catalog import generation
from nb_catalog import series as catalog_series
from nb_catalog.core.states import ImageState
from nb_catalog.models import ProductImage, Series
from tests import factories
from tests.browser import axe
from tests.browser.test_admin_way import person

__all__ = ["person"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def series():
    return factories.series(*(factories.product(name=name) for name in "ABCD"), ratio="4:5")


def open_sheet(person, series):
    person.open(f"/admin/nb_catalog/series/{series.pk}/sheet/")
    person.wait_for(".nbc-grip:not([hidden])")


def grip(person, name):
    key = series_key(name)
    return person.browser.find_element(By.CSS_SELECTOR, f"[data-key='{key}'] .nbc-grip")


def series_key(name):
    return str(factories.Mug.objects.get(name=name).pk)


def names_in_order():
    members = Series.objects.get().members.filter(removed_at=None).order_by("position", "pk")
    return "".join(str(member.catalog_object) for member in members)


def shown(person):
    titles = person.browser.find_elements(By.CSS_SELECTOR, "#nbc-members [id^=title-]")
    return "".join(title.text for title in titles)


def test_a_picture_is_dragged_to_another_place(person, series):
    open_sheet(person, series)
    target = person.browser.find_element(By.CSS_SELECTOR, f"[data-key='{series_key('C')}']")
    drag = ActionChains(person.browser).click_and_hold(grip(person, "A"))
    drag.move_to_element(target).pause(0.3).release().perform()
    person.wait(lambda: names_in_order() == "BCAD", for_what="the new order")
    assert shown(person) == "BCAD"
    person.wait_for_text("#nbc-messages", "The order is saved.")


def test_escape_puts_a_dragged_picture_back(person, series):
    open_sheet(person, series)
    target = person.browser.find_element(By.CSS_SELECTOR, f"[data-key='{series_key('C')}']")
    drag = ActionChains(person.browser).click_and_hold(grip(person, "A"))
    drag.move_to_element(target).pause(0.3).send_keys(Keys.ESCAPE).release().perform()
    assert shown(person) == "ABCD"
    assert names_in_order() == "ABCD"


def test_the_keyboard_moves_a_picture_and_says_where_it_is(person, series):
    open_sheet(person, series)
    handle = grip(person, "D")
    handle.send_keys(Keys.HOME)
    assert shown(person) == "DABC"
    person.wait_for_text("#nbc-messages", "D: place 1 of 4")
    handle.send_keys(Keys.ARROW_RIGHT)
    assert shown(person) == "ADBC"
    assert person.browser.switch_to.active_element == handle
    person.wait(lambda: names_in_order() == "ADBC", for_what="the new order")


def test_of_two_orders_the_first_stays_and_the_second_is_not_lost(person, series):
    open_sheet(person, series)
    order = [series_key(name) for name in "CDAB"]
    catalog_series.reorder(series, order, version=series.order_version)
    grip(person, "B").send_keys(Keys.HOME)
    person.wait_for_text("#nbc-messages", "Someone else has sorted the series")
    assert (shown(person), names_in_order()) == ("CDAB", "CDAB")
    person.click("#nbc-messages button")
    person.wait(lambda: names_in_order() == "BACD", for_what="the own order")
    assert shown(person) == "BACD"


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize("size", [axe.TABLET, axe.PHONE])
def test_the_sheet_is_no_wider_than_its_window(person, series, size):
    axe.show(person.browser, theme="light", size=size)
    open_sheet(person, series)
    assert person.browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
    bar = person.wait_for(".nbc-series-bulk")
    assert bar.size["height"] <= 64


def test_enter_in_a_field_does_nothing_to_the_series(person, series):
    for item in generation.plan_series(series).items():
        mug = factories.Mug.objects.get(pk=item.object_id)
        factories.image(mug, asked=item.spec, size=(80, 100))
    open_sheet(person, series)
    person.browser.find_element(By.ID, "nbc-place").send_keys(Keys.ENTER)
    open_sheet(person, series)
    assert set(ProductImage.objects.values_list("state", flat=True)) == {ImageState.PENDING}

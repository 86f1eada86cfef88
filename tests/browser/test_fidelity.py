"""What changed on a product, outlined over its picture, with the product's photo beside it."""

import pytest

from nb_catalog.imaging.fidelity import Fidelity
from nb_catalog.models import Placement
from tests import factories
from tests.browser import axe
from tests.browser.test_admin_way import has_loaded, person

__all__ = ["person"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PLACE = ((0.25, 0.5), (0.75, 0.5), (0.75, 0.6), (0.25, 0.6))
DIFFERS = Fidelity(
    score=0.21,
    reasons=("detail", "words"),
    left_out=("doubtful_cutout",),
    measures={"lost_detail": 3.2},
    regions=(PLACE,),
    gone=("STONEWARE",),
    added=("STONEWEAR",),
)
# Where the outline is within the picture as it is drawn, in shares: object-fit leaves bars at its sides.
MEASURE = """
const card = document.querySelector(".nbc-picture"), image = card.querySelector(".nbc-zoom img");
const box = image.getBoundingClientRect();
const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
const wide = image.naturalWidth * scale, tall = image.naturalHeight * scale;
const left = box.left + (box.width - wide) / 2, top = box.top + (box.height - tall) / 2;
/* The innermost outline, whose stroke has no extent in getBBox(). */
const outline = card.querySelector(".nbc-changed polygon:last-child");
const place = outline.getBBox(), matrix = outline.getScreenCTM();
const at = (x, y) => { const p = new DOMPoint(x, y).matrixTransform(matrix);
  return [(p.x - left) / wide, (p.y - top) / tall]; };
return [...at(place.x, place.y), ...at(place.x + place.width, place.y + place.height)];
"""
MEASURE_ZOOMED = MEASURE.replace(
    'document.querySelector(".nbc-picture"), image = card.querySelector(".nbc-zoom img")',
    'document.querySelector(".nbc-zoom-after"), image = card.querySelector("img")',
)


@pytest.fixture
def differing(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "RENDITION_WIDTHS": [320],
        "RENDITION_FORMATS": ["jpeg"],
        "FIDELITY": {"REQUIRE": "block"},
    }
    mug = factories.product(name="Stoneware mug", photo=factories.photo_bytes((300, 375)))
    return factories.image(mug, size=(480, 600), checks={"fidelity": DIFFERS.as_dict()})


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize("size", [axe.DESKTOP, axe.PHONE])
def test_the_outline_lies_on_the_changed_place(person, differing, size):
    axe.show(person.browser, theme="light", size=size)
    person.open("/admin/nb_catalog/productimage/review/")
    person.wait(lambda: has_loaded(person, ".nbc-picture .nbc-zoom img"), for_what="the picture")
    left, top, right, bottom = person.browser.execute_script(MEASURE)
    assert (left, top) == pytest.approx((0.25, 0.5), abs=0.01)
    assert (right, bottom) == pytest.approx((0.75, 0.6), abs=0.01)
    width = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert person.browser.execute_script(width) == 0


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize("size", [axe.DESKTOP, axe.PHONE])
def test_the_outline_lies_on_the_changed_place_in_full_size_too(person, differing, size):
    other = factories.image(factories.product(), size=(480, 600))
    axe.show(person.browser, theme="dark", size=size)
    person.open("/admin/nb_catalog/productimage/review/")
    person.wait(lambda: has_loaded(person, f"#picture-{differing.pk} .nbc-zoom img"), for_what="it")
    for full in (False, True):
        person.click(f"#picture-{differing.pk} .nbc-zoom")
        person.wait(
            lambda: has_loaded(person, "#nbc-zoom .nbc-zoom-after img"), for_what="the picture"
        )
        if full:
            person.click("#nbc-zoom .nbc-zoom-after img")
        left, top, right, bottom = person.browser.execute_script(MEASURE_ZOOMED)
        assert (left, top, right, bottom) == pytest.approx((0.25, 0.5, 0.75, 0.6), abs=0.01)
        person.click("#nbc-zoom .nbc-close")
    # Another picture without changes shows none of them.
    person.click(f"#picture-{other.pk} .nbc-zoom")
    person.wait(lambda: has_loaded(person, "#nbc-zoom .nbc-zoom-after img"), for_what="the picture")
    assert not person.sees("#nbc-zoom .nbc-changed")
    person.click("#nbc-zoom .nbc-close")


LOW_WINDOW = (857, 600)


def test_the_bar_covers_no_picture_of_a_low_window_until_something_is_selected(person, differing):
    factories.image(factories.product(), size=(480, 600))
    axe.show(person.browser, theme="light", size=LOW_WINDOW)
    person.open("/admin/nb_catalog/productimage/review/")
    top = "return document.querySelector('.nbc-bulk').getBoundingClientRect().top"
    assert person.browser.execute_script(top) > LOW_WINDOW[1]
    person.browser.execute_script("document.querySelector('[name=chosen]').click()")
    assert person.browser.execute_script(top) < LOW_WINDOW[1]


def test_the_page_says_what_differs_and_shows_the_photo(person, differing):
    person.open("/admin/nb_catalog/productimage/review/")
    text = person.wait_for(".nbc-fidelity").text
    assert "Likeness: 21 of 100" in text and "STONEWEAR" in text
    assert "Print or fine detail differs from the photo." in text
    assert has_loaded(person, ".nbc-compare img")
    assert not person.sees(".nbc-tick"), "it could be approved together with others"


def test_it_is_published_with_the_reason_in_its_note(person, differing):
    person.open("/admin/nb_catalog/productimage/review/")
    person.click("[value^='publish:']")
    person.wait_for_text("#nbc-messages", "Give the reason")
    assert not Placement.objects.exists()
    person.wait_for(".nbc-picture:not([data-waits])")
    person.click(".nbc-further summary")
    person.wait_for("[name^=note-]").send_keys("Agreed with the supplier.")
    person.click("[value^='publish:']")
    person.wait_for_text("#nbc-messages", "published to")
    person.wait_until_sent()
    assert Placement.objects.get().image == differing


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [axe.DESKTOP, axe.PHONE])
def test_axe_finds_nothing(person, differing, theme, size):
    axe.show(person.browser, theme=theme, size=size)
    person.open("/admin/nb_catalog/productimage/review/")
    person.wait_for(".nbc-fidelity")
    assert axe.violations(person.browser) == []

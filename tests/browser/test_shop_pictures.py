"""The demo shop in a real browser: no letter of a picture with words is cut, at any width."""

from contextlib import suppress
from copy import deepcopy
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from PIL import Image, ImageDraw
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver.common.by import By
from selenium.webdriver.support import ui

import demo_project
from demo_project.shop.catalog_images import ProductSource
from demo_project.shop.models import Category, Product
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Each edge of a picture has a colour of its own: left, right, top, bottom.
EDGES = {"left": (255, 0, 0), "right": (0, 160, 0), "top": (0, 0, 255), "bottom": (255, 0, 255)}
# Their share of the shorter side: thick enough to be found in a thumbnail.
BAND = 0.06
WIDTHS = (360, 768, 1100, 2000)


@pytest.fixture
def shop(settings, transactional_db):
    """The address of the demo shop."""
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "RENDITION_WIDTHS": [400, 1400],
        "RENDITION_FORMATS": ["jpeg"],
    }
    settings.ROOT_URLCONF = "demo_project.urls"
    settings.LOCALE_PATHS = [Path(demo_project.__file__).parent / "locale"]
    templates = deepcopy(settings.TEMPLATES)
    templates[0]["OPTIONS"]["context_processors"].append("demo_project.shop.context.shop")
    settings.TEMPLATES = templates
    running = LiveServer("127.0.0.1")
    yield running.url
    with suppress(TimeoutError):
        running.stop()


def banner(size):
    """A white picture with a band of another colour along each edge, as bytes."""
    image = Image.new("RGB", size, "white")
    draw, (width, height) = ImageDraw.Draw(image), size
    band = round(BAND * min(size))
    draw.rectangle((0, 0, width, band), fill=EDGES["top"])
    draw.rectangle((0, height - band, width, height), fill=EDGES["bottom"])
    draw.rectangle((0, band, band, height - band), fill=EDGES["left"])
    draw.rectangle((width - band, band, width, height - band), fill=EDGES["right"])
    written = BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def publish(product, slot, size):
    """Publish a picture of ``size`` with words in the slot."""
    place = {"start": 0.05, "top": 0.03, "width": 0.9, "height": 0.16}
    renderer = {
        "texts": {"headline": "Sale"},
        "layout": {"boxes": [{"role": "headline", "place": place}]},
    }
    spec = factories.spec(product, base="0" * 64, renderer=renderer, locale="en", prompt="")
    factories.published(product, slot=slot, locale="en", size=size, data=banner(size), asked=spec)


def edges_in(picture, *, ratio):
    """Return the thickness of each band in a screenshot, as a share of what it should be."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    found = {name: np.abs(pixels - colour).sum(axis=2) < 150 for name, colour in EDGES.items()}
    height, width = pixels.shape[:2]
    shown = min(width, height * ratio), min(height, width / ratio)
    band = BAND * min(shown)
    middle_row, middle_column = round(height / 2), round(width / 2)
    return {
        "left": found["left"][middle_row].sum() / band,
        "right": found["right"][middle_row].sum() / band,
        "top": found["top"][:, middle_column].sum() / band,
        "bottom": found["bottom"][:, middle_column].sum() / band,
    }


LOADED = "return arguments[0].complete && arguments[0].naturalWidth > 0"


def screenshots(browser):
    """Yield a screenshot of each picture of the page with words, once it has been loaded."""
    pictures = browser.find_elements(By.CSS_SELECTOR, "img[data-has-text]")
    assert pictures
    for each in pictures:
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", each)
        ui.WebDriverWait(browser, 20, 0.1).until(
            lambda driver, each=each: driver.execute_script(LOADED, each)
        )
        yield Image.open(BytesIO(each.screenshot_as_png))


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize(
    "square", [False, True], ids=["fitting", "from-before-the-slot-had-a-ratio"]
)
def test_no_picture_with_words_is_cut_at_any_width(browser, shop, monkeypatch, square):
    hero, social = ((800, 800), (1000, 1000)) if square else ((928, 1152), (1376, 768))
    shelf = Category.objects.create(slug="table", name="Table")
    product = Product(
        category=shelf, name="Lamp", slug="reading-lamp", price="24.00", translations={}
    )
    product.packshot.save("lamp.png", ContentFile(factories.photo_bytes()))
    with monkeypatch.context() as patch:
        patch.setattr(ProductSource, "slots", ("hero", "gallery", "social"))
        publish(product, "hero", hero)
        publish(product, "social", social)
    for width in WIDTHS:
        # A screenshot of an element ends where the window does.
        metrics = {"width": width, "height": 2600, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        for path, ratios in (
            ("/en/", [social[0] / social[1], hero[0] / hero[1]]),
            ("/en/table/", [hero[0] / hero[1]]),
            ("/en/products/reading-lamp/", [hero[0] / hero[1]]),
        ):
            browser.get(shop + path)
            shots = list(screenshots(browser))
            assert len(shots) == len(ratios)
            for shot, ratio in zip(shots, ratios, strict=True):
                thickness = edges_in(shot, ratio=ratio)
                # A band loses up to a pixel at either side to scaling.
                least = 1 - 2.5 / (BAND * min(shot.size))
                assert min(thickness.values()) >= min(0.8, least), (width, path, thickness)

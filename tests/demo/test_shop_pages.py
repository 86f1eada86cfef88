"""The shop's pages in four languages, and what they cost."""

from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from demo_project.shop.models import Bundle, BundlePhoto, Category, Product
from demo_project.shop.templatetags.shop import price
from nb_catalog.publishing import galleries
from tests.factories import photo_bytes, published

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_site")]

NAMES = {"en": "Mug", "de": "Becher", "fr": "Tasse", "ar": "كوب"}


def shelf():
    return Category.objects.get_or_create(
        slug="table", defaults={"name": "Table", "translations": {"de": {"name": "Tisch"}}}
    )[0]


def product(number, *, pictures=True):
    translations = {code: {"name": f"{name} {number}"} for code, name in NAMES.items()}
    made = Product(
        category=shelf(),
        name=f"Mug {number}",
        slug=f"mug-{number}",
        price="24.50",
        colour="oat",
        translations=translations,
        position=number,
    )
    made.packshot.save(f"mug-{number}.png", ContentFile(photo_bytes()))
    if pictures:
        published(made)
        published(made, slot="gallery")
        published(made, slot="gallery", position=1)
    return made


def bundle(*products):
    made = Bundle.objects.create(name="Morning", slug="morning", price="40", translations={})
    made.products.set(products)
    BundlePhoto(bundle=made).image.save("morning.png", ContentFile(photo_bytes()))
    published(made)
    return made


def queries_of(client, path):
    client.get(path)  # Content types are looked up once a process.
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


@pytest.mark.parametrize(
    ("code", "direction", "price"),
    [
        ("en", "ltr", "€24.50"),
        ("de", "ltr", "24,50\xa0€"),
        ("fr", "ltr", "24,50\xa0€"),
        ("ar", "rtl", "\u2068\u200f24.50\xa0€\u2069"),
    ],
)
def test_a_product_page_speaks_its_language(client, code, direction, price):
    product(1)
    page = client.get(f"/{code}/products/mug-1/").content.decode()
    assert f'<html lang="{code}" dir="{direction}">' in page
    assert f"<h1>{NAMES[code]} 1</h1>" in page
    assert f"<bdi>{price}</bdi>" in page
    assert page.count("<picture>") == 3
    assert f'alt="{NAMES[code]} 1"' in page


def test_interface_words_are_translated(client):
    product(1)
    words = {
        "en": "Skip to the content",
        "de": "Zum Inhalt springen",
        "fr": "Aller au contenu",
        "ar": "انتقل إلى المحتوى",
    }
    for code, word in words.items():
        assert word in client.get(f"/{code}/").content.decode()


def test_a_visitor_is_sent_to_the_language_of_the_browser(client):
    answer = client.get("/", headers={"accept-language": "ar,en;q=0.5"})
    assert answer.headers["Location"] == "/ar/"


def test_the_language_switcher_stays_on_the_page(client):
    product(1)
    page = client.get("/de/products/mug-1/").content.decode()
    for code in NAMES:
        assert f'href="/{code}/products/mug-1/" lang="{code}"' in page


@pytest.mark.parametrize("path", ["/en/", "/en/table/"])
def test_a_page_of_many_products_costs_no_more_queries(client, path):
    bundle(product(0))
    count = queries_of(client, path)
    for number in range(1, 6):
        product(number)
    assert queries_of(client, path) == count
    assert count <= 8


def test_products_without_pictures_cost_no_more_queries(client):
    bundle(product(0, pictures=False))
    count = queries_of(client, "/en/")
    for number in range(1, 4):
        product(number, pictures=False)
    assert queries_of(client, "/en/") == count


def test_a_product_without_pictures_shows_its_photo(client):
    made = product(1, pictures=False)
    assert made.packshot.url in client.get("/en/products/mug-1/").content.decode()


def test_a_sets_own_photos_have_the_published_picture(client):
    made = bundle(product(0, pictures=False))
    galleries.deliver_due()
    last = made.photos.last().image
    assert galleries.is_delivered(last.name)
    assert last.url in client.get("/en/sets/morning/").content.decode()


def test_a_bundle_page_lists_what_is_in_it(client):
    inside, outside = product(1), product(2)
    bundle(inside)
    page = client.get("/en/sets/morning/").content.decode()
    assert inside.get_absolute_url() in page
    assert outside.get_absolute_url() not in page


def test_what_is_not_sold_is_not_found(client):
    for path in ("/en/products/unicorn/", "/en/unicorns/", "/en/sets/unicorn/"):
        assert client.get(path).status_code == 404


def test_the_page_behind_the_pictures_opens_every_door(client):
    product(1)
    page = client.get("/en/behind-the-pictures/").content.decode()
    for door in ("/en/", reverse("admin:index"), "/api/catalog-images/"):
        assert f'href="{door}"' in page
    assert "3 pictures have been made" in page


def test_every_page_has_one_heading_and_landmarks(client):
    bundle(product(1))
    for path in (
        "/en/",
        "/en/table/",
        "/en/products/mug-1/",
        "/en/sets/morning/",
        "/en/behind-the-pictures/",
    ):
        page = client.get(path).content.decode()
        assert page.count("<h1") == 1
        for landmark in ("<header", "<main", "<footer", "<nav"):
            assert landmark in page


def test_words_fall_back_to_the_wider_language_and_then_to_english():
    made = product(1, pictures=False)
    assert made.translate("name", locale="de-at") == "Becher 1"
    assert made.translate("name", locale="sv") == "Mug 1"
    assert made.translate("colour", locale="de") == "oat"


def test_prices_are_written_as_each_language_does():
    article = Product(price=Decimal("1234.50"), currency="EUR")
    written = {}
    for locale in ("en", "de"):
        with translation.override(locale):
            written[locale] = price(article)
    assert written == {"en": "€1,234.50", "de": "1.234,50\xa0€"}

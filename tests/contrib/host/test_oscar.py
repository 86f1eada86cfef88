"""Published pictures among the images of Oscar's products."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.serializers import serialize
from django.urls import reverse
from oscar.core.loading import get_model
from oscar.test.factories import create_product, create_stockrecord

import nb_catalog
from nb_catalog import publishing, registry
from nb_catalog.contrib.oscar.galleries import ProductImagesGallery
from nb_catalog.core.states import ImageState
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from nb_catalog.models import GalleryDelivery
from nb_catalog.publishing import galleries
from tests import factories

pytestmark = pytest.mark.django_db

Product = get_model("catalogue", "Product")
ProductImage = get_model("catalogue", "ProductImage")


@pytest.fixture(autouse=True)
def source():
    @nb_catalog.register(Product)
    class ProductSource(nb_catalog.CatalogSource):
        title_field = "get_title"
        photo_field = "images__original"
        slots = ("hero", "gallery")
        galleries = (ProductImagesGallery(slots=("hero", "gallery")),)

    yield registry.source_for(Product)
    registry.unregister(Product)


@pytest.fixture
def product():
    """A product with two images, whose order has a gap, as dashboards leave it."""
    made = create_product(title="Reading lamp")
    for order in (0, 5):
        data = ContentFile(factories.photo_bytes(), f"lamp-{order}.png")
        made.images.create(original=data, display_order=order, caption=f"By hand {order}")
    return made


def rows():
    return json.loads(serialize("json", ProductImage.objects.order_by("pk")))


def publish(product, slot="hero", **place):
    image = factories.image(product, state=ImageState.APPROVED)
    return publishing.publish(image, slot=slot, actor=None, **place)


def test_nothing_is_wrong_with_the_declaration(source):
    locales = ("en",)
    assert list(registry.gallery_problems(source, locales=locales)) == []
    assert list(source.problems()) == []


def test_the_hero_is_the_primary_image_until_it_is_withdrawn(product):
    before = rows()
    placement = publish(product)
    publish(product, "gallery")
    galleries.deliver_due()
    shown = Product.objects.get()
    assert galleries.is_delivered(shown.primary_image().original.name)
    assert shown.primary_image().caption == "Reading lamp"
    assert [each.display_order for each in shown.get_all_images()] == [0, 1, 2, 7]
    with shown.primary_image().original.open() as file:
        assert read_mark(file.read()) == DigitalSourceType.COMPOSITE_WITH_MODEL
    publishing.withdraw(placement, actor=None)
    galleries.deliver_due()
    assert Product.objects.get().images.count() == 3
    publishing.roll_back(product, slot="gallery", actor=None)
    galleries.deliver_due()
    # Oscar's delete() numbers them anew, without the gap.
    assert rows() == before
    assert not GalleryDelivery.objects.exists()


def test_it_is_on_oscars_own_pages(client, product):
    create_stockrecord(product, 10)
    publish(product)
    galleries.deliver_due()
    name = Product.objects.get().primary_image().original.name
    page = client.get(product.get_absolute_url())
    assert page.status_code == 200 and name.rpartition("/")[2] in page.content.decode()


def test_a_product_s_photos_are_those_of_the_shop(source, product):
    photos = [each.name for each in source.photos(product)]
    publish(product)
    galleries.deliver_due()
    assert [each.name for each in source.photos(Product.objects.get())] == photos


def test_only_a_product_of_their_own_is_planned_by_people_of_partners(client, product):
    partner = User.objects.create_user("partner")
    names = ("dashboard_access", "generate", "view_product")
    partner.user_permissions.set(Permission.objects.filter(codename__in=names))
    create_stockrecord(product, 10).partner.users.add(partner)
    other = create_product(title="Not theirs")
    create_stockrecord(other, 10, partner_name="Somebody else")
    client.force_login(partner)
    for name in ("generate", "photos", "texts"):
        url = reverse(f"nb_catalog_oscar:nb_catalog_run_{name}")
        for each, status in ((product, 200), (other, 403)):
            response = client.get(url, {"model": "catalogue.product", "key": each.pk})
            assert response.status_code == status, (name, each)
            assert status == 403 or response.context["chosen"].keys == (str(each.pk),)

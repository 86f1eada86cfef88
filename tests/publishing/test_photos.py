"""The shop's own photos: true sizes, and nothing that browsers cannot show."""

from io import BytesIO, StringIO
from urllib.parse import urlparse

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.urls import reverse
from PIL import Image

from nb_catalog import publishing, storefront
from nb_catalog.models import CatalogPhoto, PhotoRendition
from nb_catalog.operations import pruning
from nb_catalog.publishing import upkeep
from nb_catalog.storage import catalog_storage
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug, Poster, PosterPhoto

pytestmark = pytest.mark.django_db

SIZE = (120, 80)
TURNED = 6


@pytest.fixture(autouse=True)
def small(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "RENDITION_WIDTHS": [32, 64],
        "RENDITION_FORMATS": ["webp", "jpeg"],
    }


def encoded(kind, *, mode="RGB", turned=False, **options):
    written = BytesIO()
    if turned:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = TURNED
    Image.new(mode, SIZE, "red" if mode == "RGB" else None).save(written, kind, **options)
    return written.getvalue()


def mug(data, suffix):
    made = Mug(name="Mug")
    made.packshot.save(f"photo{suffix}", ContentFile(data), save=True)
    return made


def shown(product):
    return storefront.picture_for(Mug.objects.get(pk=product.pk), "hero")


def opened(url):
    path = urlparse(url).path.removeprefix("/media/")
    with catalog_storage().open(path) as file:
        image = Image.open(file)
        image.load()
        return image


def read_all():
    call_command("nb_renditions", stdout=StringIO())


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".tif", encoded("TIFF")),
        (".TIFF", encoded("TIFF", mode="CMYK")),
        (".bmp", encoded("BMP")),
        (".heic", b"\0\0\0\x18ftypheic" + bytes(12)),
    ],
)
def test_a_photo_that_browsers_do_not_show_is_not_drawn_before_it_was_read(suffix, data):
    assert shown(mug(data, suffix)) is None


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".tif", encoded("TIFF")),
        (".jpg", encoded("TIFF")),
        (".tif", encoded("TIFF", mode="CMYK")),
        (".jpg", encoded("JPEG", mode="CMYK")),
        (".png", encoded("PNG", mode="I;16")),
    ],
)
def test_a_photo_that_was_read_is_shown_in_formats_of_browsers(suffix, data):
    product = mug(data, suffix)
    read_all()
    picture = shown(product)
    assert (picture.width, picture.height) == (64, 43)
    assert [kind for kind, _srcset in picture.sources] == ["image/webp"]
    file = opened(picture.src)
    assert (file.format, file.mode, file.size) == ("JPEG", "RGB", (64, 43))
    assert picture.image_id is None and picture.alt == "Mug"


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF"])
def test_a_turned_photo_has_the_size_that_browsers_show(kind, monkeypatch):
    product = mug(encoded(kind, turned=True), ".jpg")
    field = Mug._meta.get_field("packshot")
    monkeypatch.setattr(field, "width_field", "wide")
    monkeypatch.setattr(field, "height_field", "high")
    monkeypatch.setattr(Mug, "wide", SIZE[0], raising=False)
    monkeypatch.setattr(Mug, "high", SIZE[1], raising=False)
    picture = shown(product)
    assert (picture.width, picture.height) == (0, 0), "unknown until it was read"
    read_all()
    picture = shown(product)
    assert (picture.width, picture.height) == (64, 96)
    assert opened(picture.src).size == (64, 96)


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        (".png", encoded("PNG", mode="RGBA")),
        (
            ".gif",
            encoded("GIF", save_all=True, append_images=[Image.new("RGB", SIZE, "blue")]),
        ),
    ],
    ids=["transparent", "animated"],
)
def test_a_photo_that_a_rendition_would_spoil_is_delivered_as_it_is(suffix, data):
    product = mug(data, suffix)
    read_all()
    picture = shown(product)
    assert picture.src == product.packshot.url
    assert (picture.width, picture.height) == SIZE
    assert not PhotoRendition.objects.exists()


def test_a_damaged_photo_is_not_drawn_if_it_is_no_format_of_browsers():
    product = mug(encoded("TIFF")[:60], ".jpg")
    assert shown(product).src == product.packshot.url
    read_all()
    assert shown(product) is None
    assert CatalogPhoto.objects.get().problem


def test_the_next_photo_is_shown_in_place_of_one_that_cannot_be():
    poster = Poster.objects.create(title="Poster")
    for position, suffix in enumerate((".tif", ".png")):
        row = PosterPhoto(poster=poster, position=position)
        row.image.save(f"p{suffix}", ContentFile(factories.photo_bytes()), save=True)
    assert storefront.picture_for(poster, "hero").src.endswith(".png")


def test_a_photo_is_read_once_and_replaced_ones_are_forgotten():
    product = mug(encoded("TIFF"), ".tif")
    read_all()
    first = CatalogPhoto.objects.get()
    assert publishing.request_photo_renditions([product]) == 0
    product.packshot.save("other.tif", ContentFile(encoded("TIFF")), save=True)
    read_all()
    assert CatalogPhoto.objects.get().pk != first.pk
    assert set(PhotoRendition.objects.values_list("photo__name", flat=True)) == {
        product.packshot.name
    }


def test_a_file_that_was_replaced_under_its_name_is_read_again():
    product = mug(encoded("TIFF"), ".tif")
    read_all()
    name = product.packshot.name
    default_storage.delete(name)
    written = BytesIO()
    Image.new("RGB", (50, 100)).save(written, "TIFF")
    default_storage.save(name, ContentFile(written.getvalue()))
    call_command("nb_renditions", "--again", stdout=StringIO())
    assert (shown(product).width, shown(product).height) == (50, 100)


def test_a_storage_that_fails_is_asked_again(monkeypatch):
    product = mug(encoded("TIFF"), ".tif")
    publishing.request_photo_renditions([product])
    with monkeypatch.context() as patch:
        patch.setattr(type(default_storage._wrapped), "open", lambda *_args: 1 / 0)
        assert publishing.make_photo_renditions() == 0
    assert shown(product) is None
    assert publishing.make_photo_renditions() == 1
    assert shown(product).width == 64


def test_saving_a_product_in_the_admin_has_its_photo_read_by_a_worker(client):
    client.force_login(factories.superuser())
    data = {"name": "Mug", "colour": "", "packshot": ContentFile(encoded("TIFF"), "new.tif")}
    assert client.post(reverse("admin:testcatalog_mug_add"), data).status_code == 302
    product = Mug.objects.get()
    assert CatalogPhoto.objects.get().read_at is None and shown(product) is None
    upkeep.run_due()
    assert shown(product).width == 64


def test_photos_that_the_hosts_code_cannot_find_do_not_keep_it_from_being_saved(
    client, monkeypatch
):
    monkeypatch.setattr(MugSource, "photos", lambda self, product: 1 / 0)
    client.force_login(factories.superuser())
    data = {"name": "Mug", "colour": ""}
    assert client.post(reverse("admin:testcatalog_mug_add"), data).status_code == 302
    assert Mug.objects.exists()


def test_a_page_of_photos_costs_the_same_for_any_number(django_assert_num_queries):
    for _n in range(3):
        mug(encoded("TIFF"), ".tif")
    read_all()
    # Products, placements, and what is known of the photos.
    with django_assert_num_queries(3):
        for product in storefront.prefetch_catalog_images(Mug.objects.all(), slots=["hero"]):
            assert storefront.picture_for(product, "hero").srcset


def test_files_of_photos_are_kept_as_long_as_their_products(monkeypatch):
    product = mug(encoded("TIFF"), ".tif")
    read_all()
    monkeypatch.setattr(pruning, "YOUNG", pruning.timedelta(0))
    names = set(PhotoRendition.objects.values_list("file", flat=True))
    pruning.prune(days=90)
    assert all(catalog_storage().exists(name) for name in names)
    product.delete()
    pruning.prune(days=90)
    assert not PhotoRendition.objects.exists()
    assert not any(catalog_storage().exists(name) for name in names)


def test_a_mark_that_a_photo_carries_is_carried_by_its_renditions():
    from nb_catalog.imaging.provenance import DigitalSourceType, read_mark, xmp_packet

    data = encoded("JPEG", xmp=xmp_packet(DigitalSourceType.MODEL))
    product = mug(data, ".jpg")
    read_all()
    picture = shown(product)
    assert picture.origin == DigitalSourceType.MODEL
    name = PhotoRendition.objects.filter(format="jpeg").first().file.name
    with catalog_storage().open(name) as file:
        assert read_mark(file.read()) == DigitalSourceType.MODEL
